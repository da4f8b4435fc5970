"""Sound files of every format with tags in them, and a classifier that needs no model."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import rare_sounds
import soundfile

from geoclass.audio.decode import load_audio
from geoclass.inference.prediction import Failure, FieldPrediction, Prediction
from geoclass.tagging.apply import apply_plan
from geoclass.tagging.formats import edit
from geoclass.tagging.plan import plan_tags
from geoclass.tagging.policy import Policy
from geoclass.tagging.tags import read_tags, tag_edits
from geoclass.tagging.undo import undo

RATE = 22_050  # Hz
# Sound, and what has a signature and carries tags but cannot be decoded.
SOUNDS = (
    "mp3",
    "flac",
    "ogg",
    "opus",
    "oga",
    "spx",
    "m4a",
    "m4b",
    "mp4",
    "aac",
    "wav",
    "aiff",
    "wma",
    "dsf",
    "tta",
    "wv",
)
SKELETONS = {"ape": b"MAC \x96\x0f", "mpc": b"MP+\x07", "ofr": b"OFR \x0f", "tak": b"tBaK\x01"}
SUFFIXES = (*SOUNDS, *SKELETONS)
_BY_PYAV = {"m4a": ("ipod", "aac"), "aac": ("adts", "aac"), "oga": ("oga", "flac"), "wma": ("asf", "wmav2")}
_BY_PYAV |= {"m4b": ("ipod", "aac"), "mp4": ("mp4", "aac"), "tta": ("tta", "tta"), "wv": ("wv", "wavpack")}
COUNTRIES = ("TR", "IR", "GR", "US")
GENRES = ("Folk", "Rock", "Hip-Hop / Rap")


def tone(seconds: float = 1.0, *, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """(n_samples,) float32: a chord with a little noise."""
    time_s = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).normal(0, 0.01, len(time_s))
    return (0.3 * np.sin(2 * np.pi * 440 * time_s) + 0.2 * np.sin(2 * np.pi * 660 * time_s) + noise).astype(np.float32)


def encode(suffix: str, *, seconds: float = 1.0) -> bytes:
    """A sound file without tags of ours."""
    if suffix in SKELETONS:
        return rare_sounds.skeleton(SKELETONS[suffix])
    if suffix == "spx":
        return rare_sounds.speex(seconds)
    if suffix == "dsf":
        return rare_sounds.dsf(tone(seconds), RATE)
    if suffix in _BY_PYAV:
        return _encode_pyav(*_BY_PYAV[suffix], seconds)
    formats = {"mp3": ("MP3", "MPEG_LAYER_III"), "flac": ("FLAC", "PCM_16"), "ogg": ("OGG", "VORBIS")}
    formats |= {"opus": ("OGG", "OPUS"), "wav": ("WAV", "PCM_16"), "aiff": ("AIFF", "PCM_16")}
    container, subtype = formats[suffix]
    rate = 48_000 if suffix == "opus" else RATE
    out = io.BytesIO()
    soundfile.write(out, tone(seconds, rate=rate), rate, format=container, subtype=subtype)
    return out.getvalue()


def _encode_pyav(container_format: str, codec: str, seconds: float) -> bytes:
    import av

    out = io.BytesIO()
    with av.open(out, "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.layout = "mono"
        stream.bit_rate = 64_000
        formats = [format.name for format in stream.codec_context.codec.audio_formats]
        format = next(name for name in ("fltp", "flt", "s16", "s16p") if name in formats)
        samples = tone(seconds)[None]
        if format.startswith("s16"):
            samples = (samples * 32_767).astype(np.int16)
        size = 1_024
        for start in range(0, samples.shape[1], size):
            frame = av.AudioFrame.from_ndarray(samples[:, start : start + size], format=format, layout="mono")
            frame.sample_rate = RATE
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def answer(
    path: Path, *, country: Mapping[str, float] | None = None, genre: Mapping[str, float] | None = None, note: str = ""
) -> Prediction:
    """A prediction from probabilities by label; thresholds are 0.5."""
    fields = {}
    for task, kind, given in (("country", "single", country), ("genre", "multi", genre)):
        if given is not None:
            probabilities = np.array(list(given.values()), np.float32)
            fields[task] = FieldPrediction(
                task=task, kind=kind, labels=tuple(given), probabilities=probabilities, threshold=0.5
            )
    return Prediction(path=path, fields=fields, note=note)


class FakeClassifier:
    """Says of every file what it was told to; counts the files that it was asked about."""

    model_id = "fake 1 0123abcd"
    tasks = ("country", "genre")
    never_sure: tuple[str, ...] = ()

    def __init__(self, said: Mapping[str, Prediction | Failure] | None = None, *, country="TR", sure=0.62) -> None:
        self.said = said or {}  # by file name
        self.country, self.sure = country, sure
        self.asked: list[Path] = []

    def predict_many(self, paths: Iterable[Path]) -> Iterator[Prediction | Failure]:
        for path in paths:
            self.asked.append(path)
            yield self.said.get(path.name) or self.default(path)

    def default(self, path: Path) -> Prediction:
        country = dict.fromkeys(COUNTRIES, 0.1) | {self.country: self.sure}
        return answer(path, country=country, genre=dict(zip(GENRES, (0.71, 0.2, 0.6), strict=True)))


def round_trip(path: Path, folder: Path) -> str:
    """Tag (both fields, whatever is there) and undo; the sound must not change, and the way back must be exact."""
    original, samples = path.read_bytes(), load_audio(path, sample_rate=RATE)
    policy = Policy(overwrite=frozenset({"country", "genre"}))
    (result,) = apply_plan(plan_tags(FakeClassifier(), paths=[path], policy=policy), journal=folder / "journal")
    np.testing.assert_array_equal(load_audio(path, sample_rate=RATE), samples)
    if result.status == "written":
        assert read_tags(path).values["genre"] == ("Folk", "Hip-Hop Rap")
        assert [done.status for done in undo(folder / "journal")] == ["restored"]
    assert path.read_bytes() == original
    return result.reason or result.status


def patched(path: Path, **changes: tuple[str, ...]) -> None:
    """Change tags without a plan."""
    with open(path, "rb") as file:
        edits, out = tag_edits(path, file, changes), io.BytesIO()
        edit.copy_patched(file, out, edits, size=path.stat().st_size)
        assert edit.is_patched(file, out, edits, size=path.stat().st_size)
    path.write_bytes(out.getvalue())


def spliced(make_edits: Callable[[BinaryIO], Sequence[edit.Edit]], data: bytes) -> bytes:
    """What edits make of the bytes of a file; the way back must be exact."""
    edits, new, old = make_edits(io.BytesIO(data)), io.BytesIO(), io.BytesIO()
    edit.copy_patched(io.BytesIO(data), new, edits, size=len(data))
    edit.copy_patched(new, old, edit.inverse(edits), size=len(new.getvalue()))
    assert old.getvalue() == data
    return new.getvalue()
