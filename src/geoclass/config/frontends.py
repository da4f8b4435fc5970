"""Front ends, which compute the input features of models. Their settings are stored in the bundle."""

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
    top_db: float = 80.0  # floor, in dB below the loudest bin

    def __post_init__(self) -> None:
        if not 0 <= self.f_min_hz < self.f_max_hz <= self.sample_rate / 2:
            raise ConfigError(
                f"f_min_hz={self.f_min_hz} and f_max_hz={self.f_max_hz} must rise and stay below half "
                f"the sample rate ({self.sample_rate / 2} Hz)"
            )


@dataclass(frozen=True, kw_only=True)
class W2vBertConfig:
    """Kaldi's log-mel filter bank with the parameters that W2V-BERT 2.0 was trained with; not to be tuned."""

    kind: Literal["w2v-bert"] = "w2v-bert"
    sample_rate: int = 16_000  # Hz
    n_mels: int = 80
    stride: int = 2  # 10 ms frames concatenated into one


@dataclass(frozen=True, kw_only=True)
class TableConfig:
    """No audio: one row of named numbers per track (published statistics)."""

    kind: Literal["table"] = "table"
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TextureConfig:
    """One row per segment: the 68 texture statistics of the UCI origin set, computed from sound."""

    kind: Literal["texture"] = "texture"
    sample_rate: int = 22_050  # Hz
    frame_length: int = 256  # samples; frames do not overlap
    memory_frames: int = 40  # window of the running means and standard deviations

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in the order of the UCI file."""
        low_level = ("zero_crossings", "centroid", "rolloff", "flux", *(f"mfcc{index}" for index in range(13)))
        blocks = ("mean_of_means", "mean_of_deviations", "deviation_of_means", "deviation_of_deviations")
        return tuple(f"{name}_{block}" for block in blocks for name in low_level)


@dataclass(frozen=True, kw_only=True)
class StatisticsConfig:
    """One row per segment: 52 of the statistics of the GTZAN table, computed from sound as librosa does by default."""

    kind: Literal["statistics"] = "statistics"
    sample_rate: int = 22_050  # Hz
    n_fft: int = 2_048  # samples
    hop_length: int = 512  # samples
    center: bool = True  # pad both ends of the sound with half a frame of silence

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, as in the GTZAN table."""
        shape = ("chroma_stft", "rms", "spectral_centroid", "spectral_bandwidth", "rolloff", "zero_crossing_rate")
        rows = (*shape, *(f"mfcc{index}" for index in range(1, 21)))
        return tuple(f"{row}_{moment}" for row in rows for moment in ("mean", "var"))


@dataclass(frozen=True, kw_only=True)
class EmbeddingConfig:
    """One row per segment: its embedding by a frozen pretrained encoder (from transformers), pooled over time.

    The properties of the encoder are filled in when it is first loaded (`features.registry.resolve_front_end`), and
    checked whenever it is loaded again.
    """

    kind: Literal["embedding"] = "embedding"
    backbone: str = "facebook/w2v-bert-2.0"  # a folder, or an id of the Hugging Face hub
    revision: str = ""  # branch, tag or commit on the hub; "": the main branch; replaced by the commit loaded
    layers: tuple[int, ...] = (-1,)  # hidden states to average; -1 is the last, 0 the input of the first layer
    pooling: Literal["mean", "mean+std"] = "mean"  # over time
    local_files_only: bool = False  # never use the network, not even to look for a newer revision
    trust_remote_code: bool = False  # run Python code that comes with the model
    sample_rate: int = 0  # Hz; of the encoder
    width: int = 0  # of its hidden states
    weights_sha256: str = ""  # of its weights

    def __post_init__(self) -> None:
        if not self.layers:
            raise ConfigError("layers must name at least one layer, such as layers=[-1]")

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns: mean_0, mean_1, …, then std_0, …"""
        return tuple(f"{moment}_{index}" for moment in self.pooling.split("+") for index in range(self.width))


# Of an encoder: how it was found. Its weights are known by their hash.
FOUND_BY = frozenset(("backbone", "revision", "local_files_only", "trust_remote_code"))


@dataclass(frozen=True, kw_only=True)
class DescriptorsConfig:
    """One row per segment: timbre, rhythm and pitch in 484 numbers, the texture and GTZAN statistics among them.

    Used by `learn`. Segments must last 4 s or more; there are no parameters.
    """

    kind: Literal["descriptors"] = "descriptors"
    sample_rate: int = 22_050  # Hz

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        sizes = {
            "timbre_mean": 19, "timbre_std": 19, "timbre_delta_std": 19, "timbre_correlation": 66,
            "timbre_quantile": 24, "flatness": 1, "contrast": 14, "modulation": 72, "periodicity": 29, "pulse": 5,
            "pitch_fourier": 48, "interval": 30, "pitch_share": 12, "pitch_motion": 6,
        }  # fmt: skip
        own = tuple(f"{name}{index}" for name, size in sizes.items() for index in range(size))
        return TextureConfig().columns + StatisticsConfig(hop_length=2_048).columns + own


FrontEndConfig = (
    LogMelConfig | W2vBertConfig | TextureConfig | StatisticsConfig | DescriptorsConfig | EmbeddingConfig | TableConfig
)
# One row of columns per segment, without a time axis.
RowConfig = TextureConfig | StatisticsConfig | DescriptorsConfig | EmbeddingConfig | TableConfig
