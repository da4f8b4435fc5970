"""Sound of many channels."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

RATE = 22_050  # Hz
TONE = (0.4 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)


@pytest.mark.parametrize(("layout", "n_channels"), [("stereo", 2), ("5.1", 6), ("7.1", 8)])
def test_channels_are_averaged(tmp_path: Path, layout: str, n_channels: int) -> None:
    """In a process of its own: with eight channels PyAV once took it down."""
    import av

    path = tmp_path / "a.m4a"
    with av.open(str(path), "w", format="ipod") as container:
        stream = container.add_stream("aac", rate=RATE)
        stream.layout = layout
        for start in range(0, RATE, 1_024):
            sound = np.repeat(TONE[start : start + 1_024], n_channels)[None]
            frame = av.AudioFrame.from_ndarray(sound, format="flt", layout=layout)
            frame.sample_rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    script = (
        "import sys; from geoclass.audio.decode import load_audio; import numpy as np;"
        f"print(np.abs(load_audio(sys.argv[1], sample_rate={RATE})).mean())"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 0.1
