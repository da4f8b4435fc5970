"""A small residual network for short chunks of log-mel, from scratch on little data."""

import torch
from torch import Tensor, nn

from geoclass.config.frontends import FrontEndConfig
from geoclass.features.banks import dct_matrix
from geoclass.models.network import Network, n_bands, stretch_to_frames


class ResNet(Network):
    """Short-chunk ResNet with attention pooling over time.

    A strided stem and four residual stages shrink bands and frames by 32 and 16 (Won et al., Evaluation of CNN-based
    automatic music tagging models, 2020). The bands that are left are averaged; the frames are weighed by a learned
    score, and their weighted mean and standard deviation are the embedding (attentive statistics, Okabe et al. 2018).

    Beside them stands what a linear model would start from: statistics of the first cepstra, straight from the input.
    With a few dozen recordings the network is then no worse than the linear model; with more, the stages take over.
    """

    def __init__(
        self,
        front_end: FrontEndConfig,
        n_classes: int,
        *,
        width: int = 32,
        n_cepstra: int = 30,
        stage_scale: float = 0.1,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, width, kernel_size=5, stride=2, padding=2, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        self.stages = nn.Sequential(
            _Residual(width, width, stride=(2, 2)),
            _Residual(width, 2 * width, stride=(2, 2)),
            _Residual(2 * width, 4 * width, stride=(2, 2)),
            _Residual(4 * width, 4 * width, stride=(2, 1)),
        )
        n_channels = 4 * width
        # The last layer has no bias: a softmax over frames would cancel it.
        self.score = nn.Sequential(
            nn.Conv1d(n_channels, width, kernel_size=1), nn.Tanh(), nn.Conv1d(width, 1, kernel_size=1, bias=False)
        )
        # Small at first (LayerScale, Touvron et al. 2021): the stages need not learn what the statistics explain.
        self.stage_scale = nn.Parameter(torch.full((2 * n_channels,), stage_scale))
        self.timbre = _Timbre(n_bands(front_end), n_cepstra)
        self.dropout = nn.Dropout(dropout)
        self.embedding_dim = 2 * n_channels + self.timbre.n_statistics
        self.head = nn.Linear(self.embedding_dim, n_classes)

    def embed(self, x: Tensor) -> Tensor:
        frames = self._frames(x)
        weights = self._weights(frames)[:, None]  # (batch, 1, t)
        mean = (weights * frames).sum(dim=2)
        variance = (weights * (frames - mean[..., None]).square()).sum(dim=2)
        stages = torch.cat([mean, _root(variance)], dim=1) * self.stage_scale
        embedding: Tensor = self.dropout(torch.cat([stages, self.timbre(x)], dim=1))
        return embedding

    def attention_map(self, x: Tensor) -> Tensor:
        return stretch_to_frames(self._weights(self._frames(x)), x.shape[2])

    def _frames(self, x: Tensor) -> Tensor:
        """(batch, n_bands, n_frames) -> (batch, 4 * width, n_frames / 16)."""
        features: Tensor = self.stages(self.stem(x[:, None]))
        return features.mean(dim=2)

    def _weights(self, frames: Tensor) -> Tensor:
        return torch.softmax(self.score(frames)[:, 0], dim=1)


class _Timbre(nn.Module):
    """Mean and standard deviation of the cepstra, and standard deviation of their change over some lags, rescaled.

    Normalized log-mels, not powers, go into the cosine transform: cepstra of the recording relative to the data set.
    The lags follow strokes and slower phrasing; at a hop of 46 ms they are 46, 186 and 743 ms.
    """

    LAGS = (1, 4, 16)  # frames

    def __init__(self, n_bands: int, n_cepstra: int) -> None:
        super().__init__()
        n_cepstra = min(n_cepstra, n_bands)
        self.n_statistics = (2 + len(self.LAGS)) * n_cepstra
        self.register_buffer("transform", dct_matrix(n_cepstra, n_bands), persistent=False)
        self.scale = nn.BatchNorm1d(self.n_statistics)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, n_bands, n_frames) -> (batch, n_statistics)."""
        cepstra = self.get_buffer("transform") @ x
        lags = [min(lag, x.shape[2] - 1) for lag in self.LAGS]
        changes = [cepstra[:, :, lag:] - cepstra[:, :, : x.shape[2] - lag] for lag in lags]
        deviations = [_root(part.var(dim=2, correction=0)) for part in (cepstra, *changes)]
        scaled: Tensor = self.scale(torch.cat([cepstra.mean(dim=2), *deviations], dim=1))
        return scaled


class _Residual(nn.Module):
    """Two 3x3 convolutions beside a short cut."""

    def __init__(self, n_in: int, n_out: int, *, stride: tuple[int, int]) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(n_in, n_out, kernel_size=3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
            nn.Conv2d(n_out, n_out, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
        )
        self.short_cut = nn.Sequential(
            nn.Conv2d(n_in, n_out, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(n_out)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.convolutions(x) + self.short_cut(x))


def _root(variance: Tensor) -> Tensor:
    return (variance + 1e-5).sqrt()  # at 0 the root has no gradient
