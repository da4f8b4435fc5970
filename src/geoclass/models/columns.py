"""How a network of rows transforms the columns before it learns: from one look at the training rows, without labels."""

import torch
from torch import Tensor, nn

FRONT_ENDS = ("table", "texture", "statistics", "descriptors", "embedding")  # those that give rows of numbers
N_PREPARE = 20_000  # training rows that `prepare` is given
_TAIL = 0.01  # the outermost quantiles count as those of a normal distribution at 1 % and 99 %
_SHRINKAGE = 0.2  # towards equal variances; a few hundred rows do not give a covariance of a hundred columns


class Quantiles(nn.Module):
    """How far a number has come through each bin of its column: 0 below the bin, 1 above it, straight in between.

    The piecewise linear encoding of Gorishniy, Rubachev and Babenko, "On embeddings for numerical features in tabular
    deep learning" (2022). Edges are quantiles of the training rows, so that outliers and skewed columns lose their
    weight; until `prepare` is called they are evenly spaced over four standard deviations.
    """

    def __init__(self, n_columns: int, n_bins: int) -> None:
        super().__init__()
        if n_bins < 1:
            raise ValueError("n_bins must be at least 1")
        self.n_bins = n_bins
        self.register_buffer("edges", torch.linspace(-4.0, 4.0, n_bins + 1).repeat(n_columns, 1))

    @torch.no_grad()
    def prepare(self, x: Tensor) -> None:
        """Take the edges from rows (n_rows, n_columns)."""
        ranks = torch.linspace(0.0, len(x) - 1.0, self.n_bins + 1, device=x.device).round().long()
        self.get_buffer("edges").copy_(x.float().sort(dim=0).values[ranks].T)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, n_columns) -> (batch, n_columns, n_bins) in [0, 1]."""
        edges = self.get_buffer("edges")
        # Equal values make bins without width: they become steps.
        widths = edges.diff(dim=1).clamp(min=1e-6)
        return ((x[..., None] - edges[:, :-1]) / widths).clamp(0.0, 1.0)


class Plain(nn.Module):
    """The columns as they are."""

    def __init__(self, n_columns: int, n_bins: int) -> None:
        super().__init__()
        self.n_features = n_columns

    def prepare(self, x: Tensor) -> None:
        """Nothing to prepare."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, n_columns) -> the same."""
        return x


class Bins(nn.Module):
    """Each bin of each column as a separate number, with mean 0 and standard deviation about 1 on the training rows."""

    def __init__(self, n_columns: int, n_bins: int) -> None:
        super().__init__()
        self.quantiles = Quantiles(n_columns, n_bins)
        self.n_features = n_columns * n_bins
        mean = 1 - (torch.arange(n_bins) + 0.5) / n_bins  # bins hold equally many rows
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("scale", (mean * (1 - mean)).rsqrt(), persistent=False)

    def prepare(self, x: Tensor) -> None:
        """Look at rows (n_rows, n_columns)."""
        self.quantiles.prepare(x)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, n_columns) -> (batch, n_columns * n_bins)."""
        scaled: Tensor = (self.quantiles(x) - self.get_buffer("mean")) * self.get_buffer("scale")
        return scaled.flatten(1)


class Whiten(nn.Module):
    """Columns made normal by their quantiles, then uncorrelated (ZCA), so that no direction leads by its variance.

    Bell and Sejnowski, "The independent components of natural scenes are edge filters" (1997); the covariance is shrunk
    (Ledoit and Wolf 2004, with a fixed weight). Without the labels it does what linear discriminant analysis does with
    them, which on a few hundred rows is worth more than depth.
    """

    def __init__(self, n_columns: int, n_bins: int, *, shrinkage: float = _SHRINKAGE) -> None:
        super().__init__()
        self.shrinkage = shrinkage
        self.quantiles = Quantiles(n_columns, n_bins)
        self.n_features = n_columns
        scores = torch.special.ndtri(torch.linspace(0.0, 1.0, n_bins + 1).clamp(_TAIL, 1 - _TAIL))
        self.register_buffer("heights", scores.diff(), persistent=False)
        self.register_buffer("lowest", scores[0], persistent=False)
        self.register_buffer("mean", torch.zeros(n_columns))
        self.register_buffer("transform", torch.eye(n_columns))

    @torch.no_grad()
    def prepare(self, x: Tensor) -> None:
        """Look at rows (n_rows, n_columns)."""
        self.quantiles.prepare(x)
        normal = self._normal(x).cpu().double()
        covariance = normal.T.cov(correction=0)
        target = covariance.trace() / len(covariance) * torch.eye(len(covariance), dtype=torch.float64)
        variances, directions = torch.linalg.eigh((1 - self.shrinkage) * covariance + self.shrinkage * target)
        self.get_buffer("mean").copy_(normal.mean(dim=0))
        # At least a little variance: all columns may be constant.
        self.get_buffer("transform").copy_(directions * variances.clamp(min=1e-6).rsqrt() @ directions.T)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, n_columns) -> (batch, n_columns)."""
        return (self._normal(x) - self.get_buffer("mean")) @ self.get_buffer("transform")

    def _normal(self, x: Tensor) -> Tensor:
        scores: Tensor = (self.quantiles(x) * self.get_buffer("heights")).sum(dim=2) + self.get_buffer("lowest")
        return scores


ENCODERS: dict[str, type[Plain | Bins | Whiten]] = {"plain": Plain, "bins": Bins, "whiten": Whiten}
