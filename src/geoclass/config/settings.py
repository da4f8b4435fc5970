"""All settings and their defaults.

Configurations are frozen dataclasses. They are stored as TOML (`save_toml`, `load_toml`) and as JSON inside data sets
and bundles (`to_dict`, `from_dict`); `with_overrides` applies `--set training.lr=3e-4`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from geoclass.config.frontends import FrontEndConfig, LogMelConfig
from geoclass.errors import ConfigError, UsageError
from geoclass.vocabulary import parse_tasks

# ---- data sets ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class BuildConfig:
    """How `build-dataset` turns a corpus into a data set."""

    task: str = "country"  # "country", "genre", or both with a comma
    multi_label: bool = False  # genres as a set instead of one
    countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-2; empty: all
    top_countries: int | None = None  # keep the N labels with the most tracks
    min_tracks: int = 2  # labels with fewer tracks are left out
    balance: Literal["none", "downsample", "segments"] = "none"  # on the training split only
    group: Literal["artist", "track", "segment"] = "artist"  # the splits are disjoint by this
    seed: int | None = None  # None: the corpus' official split if it has one, else seed 0
    valid_fraction: float = 0.15  # of the artists (or the units of `group`), for early stopping and calibration
    test_fraction: float = 0.15  # likewise, for evaluation
    segment_seconds: float = 5.0  # length of the input of a model
    excerpt_seconds: float = 30.0  # from the middle of a track; the published systems cut 30 s into six segments
    geocoder: Literal["offline", "nominatim"] = "offline"  # nominatim queries OpenStreetMap
    pitch_shift: float = 0.0  # semitones: adds copies shifted up and down to the training split
    front_end: FrontEndConfig = field(default_factory=LogMelConfig)  # see front_end below

    def __post_init__(self) -> None:
        problems = []
        try:
            parse_tasks(self.task)
        except UsageError as error:
            problems.append(error.message)
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
        raise_all(problems)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The labels to carry, in order: ("country",), ("genre",) or both."""
        return parse_tasks(self.task)


# ---- training -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The network, and the arguments that differ from its defaults."""

    name: str = ""  # "": the default for the features (models.registry.default_model)
    arguments: Mapping[str, Any] = field(default_factory=dict)  # `geoclass models show NAME` lists them


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How a network is trained."""

    epochs: int = 50  # maximum number of passes over the training split
    batch_size: int = 48  # segments per step, over all processes
    lr: float = 1e-3  # learning rate
    weight_decay: float = 1e-4  # decoupled with adamw, an L2 penalty with adam
    optimizer: Literal["adamw", "adam"] = "adamw"  # update rule
    schedule: Literal["plateau", "cosine", "none"] = "plateau"  # learning-rate schedule
    plateau_factor: float = 0.5  # factor of each reduction of the learning rate
    plateau_patience: int = 5  # epochs without a lower validation loss before a reduction
    warmup_epochs: float = 0.0  # linear warm-up of the cosine schedule
    early_stopping: int = 10  # epochs without a better validation score before training stops; 0: never
    monitor: Literal["loss", "balanced_accuracy", "accuracy", "last"] = "balanced_accuracy"  # selects the best epoch
    label_smoothing: float = 0.1  # share of the target probability spread over all labels
    class_weights: bool = True  # loss weighted by inverse class frequency
    balanced_sampling: bool = False  # draw classes equally often instead
    mask_fraction: float = 0.1  # maximum width of the time and frequency masks, as a fraction of the axis
    mixup: float = 0.0  # alpha of the Beta distribution; 0: off
    gain_db: float = 0.0  # random gain in +- dB, before normalization
    grad_clip: float = 1.0  # maximum gradient norm; 0: off
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"  # auto: bf16 on CUDA, fp32 elsewhere
    compile: bool = False  # torch.compile: a slow first epoch, faster ones after it
    channels_last: bool = False  # memory layout, faster for 2-D convolutions on recent GPUs
    seed: int = 0  # of initialization, shuffling and augmentation
    target_precision: float = 0.9  # of the values written; sets the abstention threshold on the validation split

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
        if not 0 < self.target_precision <= 1:
            problems.append("training.target_precision must lie in (0, 1]")
        if self.class_weights and self.balanced_sampling:
            problems.append("training.class_weights and training.balanced_sampling correct the same thing twice")
        raise_all(problems)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The settings of one training run, as saved in `config.toml` in the run folder."""

    task: str = ""  # "": all tasks of the data set
    model: ModelConfig = field(default_factory=ModelConfig)  # see model below
    training: TrainingConfig = field(default_factory=TrainingConfig)  # see training below


# ---- to and from plain data -----------------------------------------------------------------------------------


def raise_all(problems: list[str]) -> None:
    """Raise all contradictions of a configuration as one ConfigError; nothing when there are none."""
    if problems:
        raise ConfigError("; ".join(problems))
