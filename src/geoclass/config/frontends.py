"""Front ends: what a model hears or reads. Their settings travel inside the bundle."""

from dataclasses import dataclass
from typing import Literal

from geoclass.errors import ConfigError


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
RowConfig = TextureConfig | StatisticsConfig | TableConfig  # one row of columns per segment, without a time axis
