"""Samples to one long row per segment: timbre, rhythm and pitch together, for learners that have few recordings."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from geoclass.config.frontends import DescriptorsConfig, LogMelConfig, StatisticsConfig, TextureConfig
from geoclass.errors import AudioError
from geoclass.features.banks import Bank, dct_matrix, decibels, slaney_bank
from geoclass.features.base import FrontEnd, power_spectrum
from geoclass.features.gtzan import Statistics
from geoclass.features.marsyas import TextureStatistics
from geoclass.features.pitch import Pitch
from geoclass.features.rhythm import modulation, periodicity

N_FFT, HOP = 1_024, 512  # samples
_N_MELS, _N_CEPSTRA = 40, 20
_TOP_DB = 80.0
_CORRELATED = 12  # cepstra whose correlations and quantiles are described
_CONTRAST_BINS = (2, 5, 10, 19, 37, 74, 149, 372)  # octaves from 43 Hz to 8 kHz
_CONTRAST_STEP = 4  # frames: sorting is slow
_MIN_SECONDS = 4.0


class Descriptors(FrontEnd):
    """484 numbers per segment: the texture statistics (68), GTZAN's (52), and timbre, rhythm and pitch.

    - timbre: mean, standard deviation, quantiles and correlations of 19 mel cepstra, the deviation of their change;
      spectral flatness, and contrast by octaves (Jiang et al., ICME 2002);
    - rhythm: how strongly eight bands fluctuate at nine rates from 0.3 to 21 Hz (fluctuation patterns, Pampalk et al.,
      2002), the autocorrelation of the onset strength, and how regular it is;
    - pitch: a histogram of spectral peaks over the octave, 10 cents a bin, and what neither key nor tuning changes in
      it: the magnitudes of its Fourier series, and its autocorrelation, in which scales show as intervals (Gedik and
      Bozkurt, 2010).
    """

    window: Tensor  # (N_FFT,)
    dct: Tensor  # (_N_CEPSTRA, _N_MELS)

    def __init__(self, config: DescriptorsConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        mel = LogMelConfig(sample_rate=config.sample_rate, n_fft=N_FFT, n_mels=_N_MELS, f_min_hz=30.0, f_max_hz=8_000.0)
        self.parts = nn.ModuleList([TextureStatistics(TextureConfig()), Statistics(StatisticsConfig(hop_length=2_048))])
        self.bank = Bank(slaney_bank(mel))
        self.pitch = Pitch(config.sample_rate)
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)
        self.register_buffer("dct", dct_matrix(_N_CEPSTRA, _N_MELS), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, n_samples) -> (batch, 484).

        Raises:
            AudioError: Segments of less than 4 s.
        """
        if waveform.shape[1] < _MIN_SECONDS * self.sample_rate:
            raise AudioError(f"descriptors need segments of {_MIN_SECONDS:g} s or more")
        padded = pad(waveform, (N_FFT // 2, N_FFT // 2))
        power = power_spectrum(padded.unfold(1, N_FFT, HOP) * self.window)  # (batch, n_frames, n_bins)
        decibel = decibels(self.bank(power))
        decibel = decibel - decibel.amax((1, 2), keepdim=True)
        decibel = decibel.clamp(min=-_TOP_DB)  # (batch, n_frames, _N_MELS)
        cepstra = (decibel @ self.dct.T)[..., 1:]  # without loudness
        rate = self.sample_rate / HOP
        groups = [part(waveform) for part in self.parts]
        groups += [_timbre(cepstra), _flatness(power), _contrast(power)]
        groups += [modulation(decibel, rate), periodicity(decibel, rate), self.pitch(waveform)]
        return torch.cat(groups, dim=1)

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        return (len(self.config.columns),)


def _timbre(cepstra: Tensor) -> Tensor:
    """(batch, n_frames, 19) -> (batch, 147): mean, standard deviation, that of the change, correlations, quantiles."""
    mean, deviation = cepstra.mean(1), cepstra.std(1)
    change = (cepstra[:, 2:] - cepstra[:, :-2]).std(1)
    centred = (cepstra - mean[:, None])[..., :_CORRELATED]
    covariance = centred.transpose(1, 2) @ centred / centred.shape[1]
    scale = covariance.diagonal(dim1=1, dim2=2).clamp(min=1e-6).sqrt()
    correlation = covariance / (scale[:, :, None] * scale[:, None])
    upper = torch.triu_indices(_CORRELATED, _CORRELATED, 1)
    ranks = torch.tensor([0.1, 0.9], dtype=cepstra.dtype, device=cepstra.device)
    low, high = torch.quantile(centred, ranks, dim=1)
    return torch.cat([mean, deviation, change, correlation[:, upper[0], upper[1]], low, high], dim=1)


def _flatness(power: Tensor) -> Tensor:
    """(batch, n_frames, n_bins) -> (batch, 1): mean logarithm of geometric over arithmetic mean."""
    floor = power.clamp(min=1e-10)
    return (floor.log().mean(2) - floor.mean(2).log()).mean(1, keepdim=True)


def _contrast(power: Tensor) -> Tensor:
    """(batch, n_frames, n_bins) -> (batch, 14): peaks over valleys in dB by octave, mean and standard deviation."""
    decibel = 10 * power[:, ::_CONTRAST_STEP].clamp(min=1e-10).log10()
    columns = []
    for low, high in pairwise(_CONTRAST_BINS):
        n_outer = max(1, (high - low) // 5)
        band = decibel[..., low:high].sort(dim=2).values
        contrast = band[..., -n_outer:].mean(2) - band[..., :n_outer].mean(2)
        columns += [contrast.mean(1), contrast.std(1)]
    return torch.stack(columns, dim=1)
