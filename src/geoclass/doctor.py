"""Checks of the installation: versions, devices, decoders, models, folders, free space; one line each."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy as np

from geoclass import __version__
from geoclass.errors import GeoclassError

RATE = 44_100  # Hz
_SECONDS = 0.5
_TONE_HZ = 440.0
_LEAST_FREE = 1e9  # bytes

_PACKAGES = ("numpy", "torch", "torchaudio", "librosa", "soundfile", "av", "mutagen", "pandas")
_EXTRAS = {
    "wav2vec2-bert": "transformers",
    "spotify": "spotipy",
    "cluster": "distributed",
    "tensorboard": "tensorboard",
}

# Formats that can be encoded here: (container, subtype) of libsndfile, (muxer, encoder) of FFmpeg inside PyAV.
_MADE_BY_SOUNDFILE = {
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "wav": ("WAV", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
}
_MADE_BY_PYAV = {"m4a": ("ipod", "aac"), "aac": ("adts", "aac"), "wma": ("asf", "wmav2"), "wv": ("wv", "wavpack")}
_MADE_BY_PYAV |= {"tta": ("tta", "tta")}
# The dependencies have no encoder for these: only the presence of a decoder is checked.
_DECODED_ONLY = {"spx": "speex", "ape": "ape", "mpc": "musepack7", "dsf": "dsd_lsbf", "tak": "tak"}


@dataclass(frozen=True, kw_only=True)
class Check:
    """The result of one check."""

    name: str
    is_fine: bool
    says: str
    hint: str = ""  # what to do about a problem


def examine() -> Iterator[Check]:
    """All checks, one after the other; none raises."""
    yield Check(name="geoclass", is_fine=True, says=f"{__version__}, Python {platform.python_version()}")
    yield Check(name="system", is_fine=True, says=f"{platform.platform()}, {os.cpu_count()} cores")
    yield from _packages()
    yield _attempt("torch pair", _torch_pair, hint="install the two together: pip install --force-reinstall geoclass")
    yield _attempt("devices", _devices)
    with tempfile.TemporaryDirectory() as folder:
        for suffix in (*_MADE_BY_SOUNDFILE, *_MADE_BY_PYAV):
            path = Path(folder) / f"tone.{suffix}"
            yield _attempt(f"decode {suffix}", partial(_decode, path), hint="pip install -U soundfile av")
    for suffix, codec in _DECODED_ONLY.items():
        yield _attempt(f"decode {suffix}", partial(_has_decoder, codec), hint="pip install -U av")
    yield from _models()
    yield from _folders()


def _attempt(name: str, look: Callable[[], str], *, hint: str = "") -> Check:
    try:
        return Check(name=name, is_fine=True, says=look())
    except GeoclassError as error:
        return Check(name=name, is_fine=False, says=error.message, hint=error.hint or hint)
    except Exception as error:  # any fault is a result of the check
        return Check(name=name, is_fine=False, says=f"{type(error).__name__}: {error}", hint=hint)


def _packages() -> Iterator[Check]:
    for package in _PACKAGES:
        yield _attempt(package, partial(metadata.version, package), hint="pip install geoclass")
    for extra, package in _EXTRAS.items():
        try:
            says = metadata.version(package)
        except metadata.PackageNotFoundError:
            says = f"not installed (optional: geoclass[{extra}])"
        yield Check(name=package, is_fine=True, says=says)


def _torch_pair() -> str:
    import torch
    import torchaudio

    torchaudio.transforms.MelSpectrogram(n_fft=512, n_mels=16)(torch.zeros(1024))
    return f"torch {torch.__version__} and torchaudio {torchaudio.__version__} work together"


def _devices() -> str:
    import torch

    found = [f"cuda:{index} {torch.cuda.get_device_name(index)}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return ", ".join(["cpu", *found]) + ("" if found else " (no GPU that torch can use)")


def _decode(path: Path) -> str:
    """Encode a tone of half a second, decode it, and compare the frequency."""
    from geoclass.audio.decode import load_audio

    suffix = path.suffix[1:]
    tone = 0.4 * np.sin(2 * np.pi * _TONE_HZ * np.arange(round(_SECONDS * RATE)) / RATE).astype(np.float32)
    if suffix in _MADE_BY_SOUNDFILE:
        import soundfile

        container, subtype = _MADE_BY_SOUNDFILE[suffix]
        rate = 48_000 if subtype == "OPUS" else RATE
        soundfile.write(path, tone, rate, format=container, subtype=subtype)
    else:
        rate = RATE
        _write_by_pyav(path, tone, *_MADE_BY_PYAV[suffix])
    heard = load_audio(path, sample_rate=rate)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    loudest_hz = np.argmax(spectrum) * rate / len(heard)
    expected_hz = _TONE_HZ * rate / RATE
    if abs(loudest_hz - expected_hz) > 10:
        raise ValueError(f"encoded a tone of {expected_hz:.0f} Hz, decoded {loudest_hz:.0f} Hz")
    return "written and read"


def _write_by_pyav(path: Path, tone: "np.ndarray[tuple[int], np.dtype[np.float32]]", muxer: str, encoder: str) -> None:
    import av

    with av.open(str(path), "w", format=muxer) as container:
        stream = container.add_stream(encoder, rate=RATE)
        stream.layout, stream.bit_rate = "mono", 64_000
        format = stream.codec_context.codec.audio_formats[0].name
        samples = tone[None]
        if format.startswith(("s16", "s32")):
            kind = np.int16 if format.startswith("s16") else np.int32
            samples = (samples * np.iinfo(kind).max).astype(kind)
        elif format.startswith("u8"):
            samples = (samples * 127 + 128).astype(np.uint8)
        for start in range(0, samples.shape[1], 1_024):
            frame = av.AudioFrame.from_ndarray(samples[:, start : start + 1_024], format=format, layout="mono")
            frame.sample_rate, frame.pts = RATE, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _has_decoder(codec: str) -> str:
    import av

    av.codec.Codec(codec, "r")
    return f"decoder {codec} is available (untested: no encoder here can make a test file)"


def _models() -> Iterator[Check]:
    from geoclass.bundle.catalogue import installed_bundles

    for name, folder in installed_bundles().items():
        yield _attempt(f"model {name}", partial(_load, folder), hint=f"remove or replace {folder}")


def _load(folder: Path) -> str:
    from geoclass.bundle.bundle import Bundle

    bundle = Bundle.load(folder)
    return f"{bundle.identity}: " + ", ".join(f"{len(head.labels)} {head.task}" for head in bundle.heads)


def _folders() -> Iterator[Check]:
    from geoclass.storage import cache_dir, data_dir, state_dir

    for name, folder in (("data", data_dir()), ("cache", cache_dir()), ("state", state_dir())):
        yield _attempt(f"{name} folder", partial(_room_in, folder), hint="set GEOCLASS_HOME to another folder")
    encoding = sys.getfilesystemencoding()
    yield Check(name="file names", is_fine=encoding == "utf-8", says=encoding, hint="set LANG to a UTF-8 locale")


def _room_in(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
    free = shutil.disk_usage(folder).free
    if free < _LEAST_FREE:
        raise OSError(f"only {free / 1e6:,.0f} MB free in {folder}")
    return f"{folder}, {free / 1e9:,.0f} GB free"
