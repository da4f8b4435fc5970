"""Files to samples: mono float32 at a given rate; only the seconds needed are decoded."""

import os
from functools import reduce
from pathlib import Path
from threading import local
from typing import TYPE_CHECKING

import numpy as np

from geoclass.errors import AudioError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Excerpt = Callable[[float | None], tuple[float, float | None]]

_BY_SOUNDFILE = frozenset({".mp3", ".flac", ".ogg", ".oga", ".opus", ".wav", ".aif", ".aiff", ".aifc", ".au"})
_BY_PYAV = frozenset(  # what libsndfile does not read
    {".m4a", ".m4b", ".mp4", ".aac", ".wma", ".spx", ".wv", ".ape", ".mpc", ".tta", ".dsf", ".tak"}
)
_MOST_KEPT = 2**24  # numbers that a thread keeps room for: 64 MB
_THREAD = local()
AUDIO_SUFFIXES = _BY_SOUNDFILE | _BY_PYAV

_SIGNATURES: "dict[str, Callable[[bytes], bool]]" = {
    "MP3": lambda start: start[:3] == b"ID3" or (len(start) > 1 and start[0] == 0xFF and start[1] & 0xE0 == 0xE0),
    "WAV": lambda start: start[:4] in (b"RIFF", b"RF64") and start[8:12] == b"WAVE",
    "FLAC": lambda start: start[:4] == b"fLaC",
    "Ogg": lambda start: start[:4] == b"OggS",
    "AIFF": lambda start: start[:4] == b"FORM",
    "AU": lambda start: start[:4] == b".snd",
    "MP4": lambda start: start[4:8] == b"ftyp",
    "WMA": lambda start: start[:4] == b"\x30\x26\xb2\x75",
    "WavPack": lambda start: start[:4] == b"wvpk",
    "Monkey's Audio": lambda start: start[:4] == b"MAC ",
    "Musepack": lambda start: start[:3] == b"MP+" or start[:4] == b"MPCK",
    "TTA": lambda start: start[:3] == b"TTA",
    "DSF": lambda start: start[:4] == b"DSD ",
    "TAK": lambda start: start[:4] == b"tBaK",
}


def load_audio(
    path: str | Path, *, sample_rate: int, offset_s: float = 0.0, duration_s: float | None = None
) -> "NDArray[np.float32]":
    """Decode a file, or an excerpt of it, to mono.

    Args:
        path: MP3, FLAC, Ogg, Opus, WAV, AIFF, AU (libsndfile); M4A, MP4, AAC, WMA, Speex, WavPack, Monkey's Audio,
            Musepack, TTA, DSF, TAK (PyAV).
        sample_rate: Of the result, in Hz.
        offset_s: Where the excerpt starts, in seconds.
        duration_s: How long it is at most, in seconds; None: to the end.

    Returns:
        (n_samples,) float32 in [-1, 1].

    Raises:
        AudioError: Missing, empty, not audio, damaged, or nothing left after `offset_s`.
    """
    mono, rate = _read(Path(path), lambda _total_s: (offset_s, duration_s))
    if len(mono) == 0:
        raise AudioError(f"{path}: no sound could be decoded" + (f" after {offset_s:g} s" if offset_s else ""))
    return _resample(mono, rate, sample_rate, path)


def load_excerpt(path: str | Path, *, sample_rate: int, duration_s: float) -> "NDArray[np.float32]":
    """Decode `duration_s` seconds from the middle of a file; all of it when it is shorter. Else as `load_audio`."""

    def middle(total_s: float | None) -> tuple[float, float]:
        return (max(0.0, (total_s - duration_s) / 2) if total_s else 0.0, duration_s)

    mono, rate = _read(Path(path), middle)
    if len(mono) == 0:  # the header claims more than there is: take what there is
        return load_audio(path, sample_rate=sample_rate, duration_s=duration_s)
    return _resample(mono, rate, sample_rate, path)


def _read(path: Path, excerpt: "Excerpt") -> "tuple[NDArray[np.float32], int]":
    """(n_samples,) float32, mono, and their rate; `excerpt` maps the file's length to (offset, duration) in s."""
    try:
        if not path.stat().st_size:
            raise AudioError(f"{path}: the file is empty")
        read = _read_pyav if path.suffix.lower() in _BY_PYAV else _read_soundfile
        return read(path, excerpt)
    except OSError as error:
        raise AudioError(f"{path}: {error.strerror or error}") from error


def _read_soundfile(path: Path, excerpt: "Excerpt") -> "tuple[NDArray[np.float32], int]":
    import soundfile

    try:
        # libsndfile takes bytes for a name; python-soundfile would encode one, and fails where it is not UTF-8.
        with soundfile.SoundFile(os.fsencode(path) if os.name == "posix" else path) as file:
            rate: int = file.samplerate
            offset_s, duration_s = excerpt(file.frames / rate)
            start = min(round(offset_s * rate), file.frames)
            if start and file.seek(start) > file.frames:  # in damaged MP3s the decoder may land beyond their end
                return np.zeros(0, np.float32), rate
            if duration_s is None:
                samples = file.read(dtype="float32", always_2d=True)
            else:
                n_frames = min(round(duration_s * rate), file.frames - start)
                samples = file.read(out=_room(n_frames, file.channels))
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:  # ValueError: its length is unknown
        raise AudioError(f"{path}: {_explain(path)}") from error
    return _mono(samples), rate


def _room(n_frames: int, n_channels: int) -> "NDArray[np.float32]":
    """(n_frames, n_channels) to read into, which is the thread's own and read into again for its next file.

    Fresh memory, which the kernel clears first, takes 2 ms for 30 s of sound.
    """
    n_samples = n_frames * n_channels
    kept: NDArray[np.float32] | None = getattr(_THREAD, "room", None)
    if kept is None or len(kept) < n_samples:
        kept = np.empty(n_samples, np.float32)
        if n_samples <= _MOST_KEPT:
            _THREAD.room = kept
    return kept[:n_samples].reshape(n_frames, n_channels)


def _read_pyav(path: Path, excerpt: "Excerpt") -> "tuple[NDArray[np.float32], int]":
    import av

    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.audio:
                raise AudioError(f"{path}: no audio stream")
            stream = container.streams.audio[0]
            if stream.codec_context is None or not stream.codec_context.sample_rate:
                raise AudioError(f"{path}: the audio stream cannot be decoded")
            rate = stream.codec_context.sample_rate
            total_s = container.duration / av.time_base if container.duration else None
            offset_s, duration_s = excerpt(total_s)
            if offset_s:
                container.seek(int(offset_s * av.time_base))
            # Packed: of eight planes, as 7.1 has, PyAV 18 reads a ninth, and the process crashes.
            to_float = av.AudioResampler(format="flt")
            wanted = None if duration_s is None else round(duration_s * rate)
            blocks: list[NDArray[np.float32]] = []
            n_samples = 0
            for frame in container.decode(stream):
                before = round((offset_s - frame.time) * rate) if offset_s and frame.time is not None else 0
                if before >= frame.samples:
                    continue
                for block in to_float.resample(frame):
                    # Mono here: a damaged stream may change its channels on the way.
                    channels = block.to_ndarray().reshape(-1, block.layout.nb_channels)[max(0, before) :]
                    blocks.append(channels.mean(axis=1, dtype=np.float32))
                    n_samples += len(channels)
                    before -= block.samples
                if wanted is not None and n_samples >= wanted:
                    break
    except (av.FFmpegError, ValueError) as error:  # ValueError: a frame unlike those before it
        raise AudioError(f"{path}: {_explain(path)}") from error
    if not blocks:
        return np.zeros(0, np.float32), rate
    return np.concatenate(blocks)[:wanted], rate


def _explain(path: Path) -> str:
    """Why a decoder failed; the libraries' own messages are often misleading."""
    if not path.is_file():
        return "not a regular file"
    with open(path, "rb") as file:
        start = file.read(12)
    if start.startswith(b"OFR "):
        return "OptimFROG cannot be decoded"
    if kind := next((kind for kind, matches in _SIGNATURES.items() if matches(start)), None):
        return f"damaged {kind}: cannot be decoded ({path.stat().st_size} bytes)"
    return f"not audio: no known signature (it begins with {start[:8]!r})"


def _mono(samples: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """(n_samples, n_channels) -> (n_samples,) their mean, in memory of its own.

    In few calls, for each hands over the interpreter's lock, and without BLAS, which would divide a large product among
    threads that then spin while they wait for more.
    """
    n_channels = samples.shape[1]
    if n_channels == 1:
        return samples[:, 0].copy()
    mono: NDArray[np.float32] = reduce(np.add, samples.T)
    mono *= np.float32(1 / n_channels)
    return mono


def _resample(mono: "NDArray[np.float32]", rate: int, target_rate: int, path: str | Path) -> "NDArray[np.float32]":
    if rate != target_rate:
        import soxr

        mono = soxr.resample(mono, rate, target_rate, quality="HQ")
    if len(mono) and not np.isfinite([mono.min(), mono.max()]).all():  # many times as fast as testing each sample
        raise AudioError(f"{path}: the samples are not finite numbers")  # resampling leaves none of them finite
    return np.clip(mono, -1.0, 1.0, out=mono)
