"""Run tests once, then for each mutant those that reach it, each in a fork. `mutation_score.py` calls it in its copy.

python tools/run_mutants.py TASK.json      # {"mutants": […], "tests": […], "jobs": 2, "fates": "OUT.json"}
"""

import functools
import gc
import json
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mutmut.mutation import trampoline
from mutmut.utils.format_utils import mangled_name_from_mutant_name

PATIENCE, LEAST_S = 20, 120  # times what the tests took, but on a busy machine not less than two minutes


class Mutants:
    """A pytest plugin whose loop over the tests is one over the mutants."""

    def __init__(self, task: dict[str, Any]) -> None:
        self.task = task
        self.reached_by: defaultdict[str, set[str]] = defaultdict(set)  # function -> tests
        self.took_s: dict[str, float] = {}  # by test
        self.now = ""
        self.running: dict[int, tuple[str, float]] = {}  # process -> mutant, when it must be done
        self.fates: dict[str, str] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """The tests as they are, then each mutant."""
        trampoline.record_trampoline_hit = lambda name, caller=None: self.reached_by[name].add(self.now)
        trampoline._mutant_under_test = "stats"  # of this process alone, not of those that tests start
        for item, following in with_next(session.items):
            self.now, begun = item.nodeid, time.monotonic()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self.took_s[item.nodeid] = time.monotonic() - begun
        if session.testsfailed or not session.items:
            return True
        trampoline._mutant_under_test = ""
        caches = [found for found in gc.get_objects() if isinstance(found, functools._lru_cache_wrapper)]
        for name in self.task["mutants"]:
            reaching = self.reached_by[mangled_name_from_mutant_name(name)]
            items = sorted((i for i in session.items if i.nodeid in reaching), key=lambda i: self.took_s[i.nodeid])
            if not items:
                self.fates[name] = "unreached"
                continue
            while len(self.running) >= self.task["jobs"]:
                self.wait()
            self.begin(name, items, session, caches)
        while self.running:
            self.wait()
        Path(self.task["fates"]).write_text(json.dumps(self.fates), "utf-8")
        return True

    def begin(self, name: str, items: list[pytest.Item], session: pytest.Session, caches: list[Any]) -> None:
        """Start a mutant; in the new process this does not return."""
        sys.stdout.flush()
        process = os.fork()
        if process:
            limit_s = max(LEAST_S, PATIENCE * sum(self.took_s[item.nodeid] for item in items))
            self.running[process] = name, time.monotonic() + limit_s
            return
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        failed = True
        try:
            os.environ["MUTANT_UNDER_TEST"] = name  # also for processes that the tests start
            for cache in caches:  # what the original worked out
                cache.cache_clear()
            for item, following in with_next(items):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    break
            failed = bool(session.testsfailed)
        finally:
            os._exit(int(failed))

    def wait(self) -> None:
        """Until a mutant is done, or has run for too long."""
        while True:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process in self.running:
                name, _ = self.running.pop(process)
                code = os.waitstatus_to_exitcode(status)
                self.fates[name] = {0: "survived", -signal.SIGKILL: "endless"}.get(code, "noticed")
                return
            for late, (_, end) in self.running.items():
                if time.monotonic() > end:
                    os.kill(late, signal.SIGKILL)
            time.sleep(0.05)


def with_next(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Each test with the one behind it: what fixtures made for several of them ends with the last."""
    return zip(items, [*items[1:], None], strict=True)


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    options = ["-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", "-p", "no:randomly"]
    sys.exit(pytest.main([*options, *given["tests"]], plugins=[Mutants(given)]))
