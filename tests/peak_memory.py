"""How much memory a step takes, in a process of its own: the peak of this one is that of other tests, too."""

import subprocess
import sys

_PEAK = """
def peak():
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024
"""


def peak_growth(step: str, *arguments: str, before: str) -> int:
    """Bytes by which `step` raises the peak that the process has after `before`; on Linux alone.

    Args:
        step, before: Lines of Python.
        arguments: They find them in `sys.argv`.
    """
    script = "\n".join(["import sys", _PEAK, before, "at_first = peak()", step, "print(peak() - at_first)"])
    return int(subprocess.check_output([sys.executable, "-c", script, *arguments], text=True))
