"""Every setting and its default, once.

Configurations are frozen dataclasses. They travel as TOML (`save_toml`, `load_toml`) and as JSON inside data sets
and bundles (`to_dict`, `from_dict`); `with_overrides` applies `--set training.lr=3e-4`.
"""

import dataclasses
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from geoclass.errors import ConfigError
from geoclass.storage import write_text

T = TypeVar("T")


# ---- front ends: what a model hears or reads. They travel inside the bundle. ------------------------------------


@dataclass(frozen=True, kw_only=True)
class LogMelConfig:
    """Log-mel spectrogram in dB below the loudest bin of the segment."""

    kind: Literal["log-mel"] = "log-mel"
    sample_rate: int = 22_050  # Hz
    n_fft: int = 2_048  # samples
    hop_length: int = 512  # samples
    n_mels: int = 256
    f_min_hz: float = 20.0
    f_max_hz: float = 8_000.0
    top_db: float = 80.0  # dB below the loudest bin at which the floor lies

    def __post_init__(self) -> None:
        if not 0 <= self.f_min_hz < self.f_max_hz <= self.sample_rate / 2:
            raise ConfigError(
                f"front_end: f_min_hz={self.f_min_hz} and f_max_hz={self.f_max_hz} must rise and stay below half "
                f"the sample rate ({self.sample_rate / 2} Hz)"
            )


@dataclass(frozen=True, kw_only=True)
class W2vBertConfig:
    """Kaldi's log-mel filter bank as W2V-BERT 2.0 was trained on it; its numbers are the model's, not to be tuned."""

    kind: Literal["w2v-bert"] = "w2v-bert"
    sample_rate: int = 16_000  # Hz
    n_mels: int = 80
    stride: int = 2  # frames of 10 ms that are laid side by side


@dataclass(frozen=True, kw_only=True)
class TableConfig:
    """No sound: one row of named numbers a track (statistics that somebody published)."""

    kind: Literal["table"] = "table"
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TextureConfig:
    """One row a segment: the 68 texture statistics of the UCI origin set, computed from sound."""

    kind: Literal["texture"] = "texture"
    sample_rate: int = 22_050  # Hz
    frame_length: int = 256  # samples; frames do not overlap
    memory_frames: int = 40  # over which running means and deviations go

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the UCI file."""
        low_level = ("zero_crossings", "centroid", "rolloff", "flux", *(f"mfcc{index}" for index in range(13)))
        blocks = ("mean_of_means", "mean_of_deviations", "deviation_of_means", "deviation_of_deviations")
        return tuple(f"{name}_{block}" for block in blocks for name in low_level)


@dataclass(frozen=True, kw_only=True)
class StatisticsConfig:
    """One row a segment: 52 of the statistics of the GTZAN table, computed from sound as librosa does by default."""

    kind: Literal["statistics"] = "statistics"
    sample_rate: int = 22_050  # Hz
    n_fft: int = 2_048  # samples
    hop_length: int = 512  # samples

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, as in the GTZAN table."""
        shape = ("chroma_stft", "rms", "spectral_centroid", "spectral_bandwidth", "rolloff", "zero_crossing_rate")
        rows = (*shape, *(f"mfcc{index}" for index in range(1, 21)))
        return tuple(f"{row}_{moment}" for row in rows for moment in ("mean", "var"))


FrontEndConfig = LogMelConfig | W2vBertConfig | TextureConfig | StatisticsConfig | TableConfig
RowConfig = TextureConfig | StatisticsConfig | TableConfig  # one row of columns a segment, without a time axis


# ---- data sets ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class BuildConfig:
    """How `build-dataset` turns a corpus into a data set."""

    task: str = "country"  # "country", "genre", or both with a comma
    multi_label: bool = False  # genres as a set instead of one
    countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-2; empty: all
    top_countries: int | None = None  # keep the N labels with most tracks
    min_tracks: int = 2  # labels with fewer tracks are left out
    balance: Literal["none", "downsample", "segments"] = "none"  # on the training split only
    group: Literal["artist", "track", "segment"] = "artist"  # what no two splits share
    seed: int | None = None  # None: the corpus' official split if it has one, else seed 0
    valid_fraction: float = 0.15
    test_fraction: float = 0.15
    segment_seconds: float = 5.0
    excerpt_seconds: float = 30.0  # from the middle of a track; the published systems cut 30 s into six segments
    geocoder: Literal["offline", "nominatim"] = "offline"
    pitch_shift: float = 0.0  # semitones: adds copies shifted up and down, to the training split only
    front_end: FrontEndConfig = field(default_factory=LogMelConfig)

    def __post_init__(self) -> None:
        problems = []
        if not set(self.tasks) <= {"country", "genre"} or not self.tasks:
            problems.append(f"task={self.task!r} is neither country, genre nor country,genre")
        if self.countries and self.top_countries:
            problems.append("countries and top_countries exclude each other")
        if not (0 < self.valid_fraction < 1 and 0 < self.test_fraction < 1):
            problems.append("valid_fraction and test_fraction must lie between 0 and 1")
        elif self.valid_fraction + self.test_fraction >= 1:
            problems.append("valid_fraction and test_fraction leave nothing to train on")
        if self.segment_seconds <= 0:
            problems.append(f"segment_seconds={self.segment_seconds} must be positive")
        elif self.excerpt_seconds < self.segment_seconds:
            problems.append(f"excerpt_seconds={self.excerpt_seconds} is shorter than a segment")
        if self.pitch_shift and self.group == "segment":
            problems.append("pitch_shift needs whole tracks in the training split: not with group=segment")
        _raise_all(problems)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The labels to carry, in order: ("country",), ("genre",) or both."""
        return tuple(part.strip() for part in self.task.split(",") if part.strip())


# ---- training -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Which network, and the arguments that differ from its own defaults."""

    name: str = ""  # "": the one that suits the features (models.registry.default_model)
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How a network is trained."""

    epochs: int = 50
    batch_size: int = 48
    lr: float = 1e-3
    weight_decay: float = 1e-4
    optimizer: Literal["adamw", "adam"] = "adamw"
    schedule: Literal["plateau", "cosine", "none"] = "plateau"
    plateau_factor: float = 0.5
    plateau_patience: int = 5  # epochs without a better validation loss before the rate drops
    warmup_epochs: float = 0.0  # of the cosine schedule
    early_stopping: int = 10  # epochs without a better validation score; 0: never
    monitor: Literal["loss", "balanced_accuracy", "accuracy", "last"] = "balanced_accuracy"  # "better"; last: any later
    label_smoothing: float = 0.1
    class_weights: bool = True  # loss weighted by inverse class frequency
    balanced_sampling: bool = False  # draw classes equally often instead
    mask_fraction: float = 0.1  # longest time mask and frequency mask, as a part of the axis
    mixup: float = 0.0  # alpha of the Beta distribution; 0: off
    gain_db: float = 0.0  # random gain in +- dB, before normalization
    grad_clip: float = 1.0  # largest gradient norm; 0: off
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"  # auto: bf16 on CUDA, fp32 elsewhere
    compile: bool = False
    channels_last: bool = False
    seed: int = 0
    target_precision: float = 0.8  # of what is written: sets the abstention threshold on the validation split

    def __post_init__(self) -> None:
        problems = [f"training.{name} must be positive" for name in ("batch_size", "lr") if getattr(self, name) <= 0]
        problems += [
            f"training.{name} must not be negative"
            for name in ("epochs", "weight_decay", "early_stopping", "mixup", "grad_clip", "gain_db", "warmup_epochs")
            if getattr(self, name) < 0
        ]
        problems += [
            f"training.{name} must lie in [0, 1)"
            for name in ("label_smoothing", "mask_fraction")
            if not 0 <= getattr(self, name) < 1
        ]
        if self.class_weights and self.balanced_sampling:
            problems.append("training.class_weights and training.balanced_sampling correct the same thing twice")
        _raise_all(problems)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """All of one training run: what `config.toml` in the run folder holds."""

    task: str = ""  # "": every task of the data set
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)


# ---- to and from plain data -----------------------------------------------------------------------------------


def to_dict(config: Any) -> dict[str, Any]:
    """Plain JSON-able data of a configuration; options that are None are left out (TOML has no null)."""
    plain: dict[str, Any] = {}
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        if dataclasses.is_dataclass(value):
            value = to_dict(value)
        elif isinstance(value, tuple):
            value = list(value)
        if value is not None:
            plain[item.name] = value
    return plain


def from_dict(cls: type[T], plain: Mapping[str, Any], *, where: str = "") -> T:
    """Build a configuration from plain data.

    Raises:
        ConfigError: Unknown keys, wrong types and contradictions, all in one message.
    """
    problems: list[str] = []
    config = _build(cls, plain, where, problems)
    _raise_all(problems)
    return typing.cast(T, config)


def with_overrides(config: T, overrides: Sequence[str]) -> T:
    """Apply dotted overrides such as "training.lr=3e-4"; values are TOML, bare words are strings."""
    plain = to_dict(config)
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator:
            raise ConfigError(f"--set {override}: expected KEY=VALUE", hint="for example --set training.lr=3e-4")
        target = plain
        *parents, last = key.strip().split(".")
        if parents == ["model"] and last not in ("name", "arguments"):
            parents = ["model", "arguments"]
        for parent in parents:
            target = target.setdefault(parent, {})
            if not isinstance(target, dict):
                raise ConfigError(f"--set {override}: {parent} is a value, not a section")
        if last == "kind":
            target.clear()  # another kind of front end has settings of its own
        target[last] = parse_value(text)
    return from_dict(type(config), plain)


def parse_value(text: str) -> Any:
    """A TOML value; what is not one is taken as a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()


def load_toml(cls: type[T], path: Path) -> T:
    """Read a configuration file.

    Raises:
        ConfigError: Unreadable, not TOML, or with keys that do not exist.
    """
    try:
        plain = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    return from_dict(cls, plain, where=f"{path}: ")


def save_toml(config: Any, path: Path) -> None:
    """Write a configuration so that `load_toml` gives it back."""
    import tomli_w

    write_text(path, tomli_w.dumps(to_dict(config)))


def _build(cls: Any, plain: Mapping[str, Any], where: str, problems: list[str]) -> Any:
    hints = typing.get_type_hints(cls)
    names = {item.name for item in dataclasses.fields(cls)}
    problems += [
        f"{where}{key} is not a setting (known: {', '.join(sorted(names))})" for key in plain if key not in names
    ]
    values: dict[str, Any] = {}
    for name in names & set(plain):
        values[name] = _convert(hints[name], plain[name], f"{where}{name}", problems)
    if problems:
        return None
    try:
        return cls(**values)
    except ConfigError as error:
        problems.append(f"{where}{error.message}")
        return None


def _convert(hint: Any, value: Any, where: str, problems: list[str]) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or origin is Mapping:
        return value
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return _build(hint, value, f"{where}.", problems)
    if origin in (types.UnionType, typing.Union):
        kinds = {typing.get_type_hints(part).get("kind"): part for part in arguments if dataclasses.is_dataclass(part)}
        if kinds and isinstance(value, Mapping):
            for kind, part in kinds.items():
                if value.get("kind") in typing.get_args(kind):
                    return _build(part, value, f"{where}.", problems)
            known = sorted(choice for kind in kinds for choice in typing.get_args(kind))
            problems.append(f"{where}.kind={value.get('kind')!r} is not one of {', '.join(known)}")
            return None
        plain_types = [part for part in arguments if part is not type(None)]
        return None if value is None else _convert(plain_types[0], value, where, problems)
    if origin is Literal:
        if value not in arguments:
            problems.append(f"{where}={value!r} is not one of {', '.join(map(str, arguments))}")
        return value
    if origin is tuple:
        if isinstance(value, list | tuple):
            return tuple(_convert(arguments[0], item, where, problems) for item in value)
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    problems.append(f"{where}={value!r} is not a {getattr(hint, '__name__', hint)}")
    return None


def _raise_all(problems: list[str]) -> None:
    if problems:
        raise ConfigError("; ".join(problems))
