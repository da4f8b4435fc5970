"""Samples to one row of statistics a segment: the columns of the UCI origin set, and those of the GTZAN table.

Both tables were published without the sound; what is here computes the same columns from sound, batched, on CPU or
GPU, so that a model learned from the published rows can be asked about files.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

from geoclass.audio.frontend import Bank, FrontEnd, power_spectrum, slaney_bank
from geoclass.config import LogMelConfig, StatisticsConfig, TextureConfig
from geoclass.errors import AudioError

_CACHED = 2**19  # samples of a block of frames: two megabytes


class TextureStatistics(FrontEnd):
    """MARSYAS' texture statistics (Tzanetakis and Cook, 2002): (4 blocks of 17 columns,) a segment.

    Of each frame: zero crossings, spectral centroid, roll-off, flux and MFCC 0 to 12, as in MARSYAS' ZeroCrossings,
    Centroid, Rolloff, Flux and MFCC. Of each of these, mean and deviation over a memory of 40 frames; of each of
    those, mean and deviation over the segment (`bextract -sv`). Frames do not overlap; power spectrum, Hamming window.

    The files of the UCI set were analysed at 44,100 Hz with frames of 512 samples: with frames of 11.6 ms, and not of
    23.2 ms, the columns correlate with each other as those of the set do. Frames of 256 samples at 22,050 Hz are the
    same frames without what lies above 11 kHz, which many recordings do not have and codecs cut.
    """

    window: Tensor  # (frame_length,)
    mel: Tensor  # (40, n_bins)
    dct: Tensor  # (13, 40)

    def __init__(self, config: TextureConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        window = torch.hamming_window(config.frame_length, periodic=False)
        self.register_buffer("window", window / config.frame_length, persistent=False)  # MARSYAS' FFT divides by N
        self.register_buffer("mel", _auditory_toolbox_bank(config.sample_rate, config.frame_length), persistent=False)
        self.register_buffer("dct", _dct(13, self.mel.shape[0]), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, n_samples) -> (batch, 68).

        Raises:
            AudioError: Shorter than the memory.
        """
        length = self.config.frame_length
        if waveform.shape[1] < length * self.config.memory_frames:
            raise AudioError(f"{waveform.shape[1]} samples are too few for texture statistics")
        frames = waveform.unfold(1, length, length)  # (batch, n_frames, length)
        power = power_spectrum(frames * self.window)  # (batch, n_frames, n_bins)
        # Nothing below the noise of 16 bits: what is quieter depends on the decoder, and silence has no logarithm.
        mel = (power @ self.mel.T).clamp(min=1e-12).log10()
        cepstrum = mel @ self.dct.T  # (batch, n_frames, 13)
        shape = torch.stack([_crossings(frames), _centroid(power), _rolloff(power, part=0.9), _flux(power)], dim=2)
        low_level = torch.cat([shape, cepstrum], dim=2).transpose(1, 2)  # (batch, 17, n_frames)
        mean, deviation = _running(low_level, self.config.memory_frames)
        return torch.cat([mean.mean(2), deviation.mean(2), _deviation(mean), _deviation(deviation)], dim=1)

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        return (len(self.config.columns),)


class Statistics(FrontEnd):
    """The columns of the GTZAN table that need no source separation and no beat: (52,) a segment.

    Mean and variance over the frames of what librosa computes by default of 22,050 Hz: chroma of the STFT, RMS,
    spectral centroid, bandwidth and roll-off, zero crossing rate, MFCC 1 to 20. harmony, perceptr and tempo are left
    out: they take nearly all of librosa's time. Chroma takes A as 440 Hz, where librosa estimates the tuning.
    """

    window: Tensor  # (n_fft,)
    chroma: Tensor  # (12, n_bins)
    moments: Tensor  # (2, n_bins): frequency in kHz, and its square
    dct: Tensor  # (20, 128)

    def __init__(self, config: StatisticsConfig) -> None:
        super().__init__()
        self.config = config
        self.sample_rate = config.sample_rate
        half = config.sample_rate / 2
        mel = LogMelConfig(sample_rate=config.sample_rate, n_fft=config.n_fft, n_mels=128, f_min_hz=0.0, f_max_hz=half)
        frequency = torch.linspace(0.0, half / 1_000, config.n_fft // 2 + 1)
        self.bank = Bank(slaney_bank(mel))
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)
        self.register_buffer("chroma", chroma_bank(config.sample_rate, config.n_fft), persistent=False)
        self.register_buffer("moments", torch.stack([frequency, frequency.square()]), persistent=False)
        self.register_buffer("dct", _dct(20, 128), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, n_samples) -> (batch, 52)."""
        n_fft, hop = self.config.n_fft, self.config.hop_length
        padded = pad(waveform, (n_fft // 2, n_fft // 2))
        crossings = _sign_changes(waveform, n_fft, hop)  # (batch, n_frames), as what follows
        rms = padded.square().unfold(1, n_fft, hop).mean(2).sqrt()
        spectra = [self._spectral(frames) for frames in _in_blocks(padded.unfold(1, n_fft, hop))]
        shape, chroma, mel = (torch.cat(parts, dim=2) for parts in zip(*spectra, strict=True))
        decibel = 10 * mel.clamp(min=1e-10).log10()
        decibel = decibel.maximum(decibel.amax((1, 2), keepdim=True) - 80.0)
        cepstrum = self.dct @ decibel  # (batch, 20, n_frames)
        rows = torch.cat([rms[:, None], shape, crossings[:, None], cepstrum], dim=1)
        statistics = torch.stack([rows.mean(2), rows.var(2, correction=0)], dim=2).flatten(1)  # mean, var, mean, …
        notes = chroma.flatten(1)
        return torch.cat([torch.stack([notes.mean(1), notes.var(1, correction=0)], dim=1), statistics], dim=1)

    def _spectral(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(batch, n_frames, n_fft) -> centroid, bandwidth, roll-off in Hz (batch, 3, n_frames); chroma; mel power."""
        power = power_spectrum(frames * self.window)  # (batch, n_frames, n_bins)
        magnitude = power.sqrt()
        cumulated = magnitude.cumsum(2)
        total = cumulated[..., -1:].clamp(min=1e-10)
        first, second = (magnitude @ self.moments.T / total).unbind(2)  # (batch, n_frames), as what follows
        bandwidth = (second - first.square()).clamp(min=0).sqrt()
        rolloff = torch.searchsorted(cumulated, 0.85 * total)[..., 0].clamp(max=magnitude.shape[2] - 1)
        shape = 1_000 * torch.stack([first, bandwidth, self.moments[0][rolloff]], dim=1)
        power = power.transpose(1, 2)
        chroma = self.chroma @ power
        return shape, chroma / chroma.amax(1, keepdim=True).clamp(min=1e-10), self.bank(power)

    def feature_shape(self, n_samples: int) -> tuple[int, ...]:
        return (len(self.config.columns),)


def _in_blocks(frames: Tensor) -> tuple[Tensor, ...]:
    """(batch, n_frames, length), on a CPU some frames at a time: what is computed of them stays in its cache."""
    if frames.device.type != "cpu":
        return (frames,)
    return torch.split(frames, max(1, _CACHED // frames[:, 0].numel()), dim=1)


def _crossings(frames: Tensor) -> Tensor:
    """(batch, n_frames, length) -> (batch, n_frames): from above to below zero or back, plus one, a sample."""
    below = (frames[..., :-1] * frames[..., 1:]).sign().clamp(max=0)  # -1 at a crossing; a comparison is slower
    return (1.0 - below.sum(2)) / frames.shape[2]


def _centroid(power: Tensor) -> Tensor:
    """(batch, n_frames, n_bins) -> (batch, n_frames), as a part of the axis; 0.5 in silence."""
    n_bins = power.shape[2]
    total = power.sum(2)
    centroid = power @ torch.arange(n_bins, dtype=power.dtype, device=power.device) / total.clamp(min=1e-20) / n_bins
    return torch.where(total > 1e-20, centroid, 0.5)


def _rolloff(power: Tensor, *, part: float) -> Tensor:
    """(batch, n_frames, n_bins) -> (batch, n_frames): the last bin below which less than `part` of the power lies.

    As MARSYAS has it: 1 when that is one of the two lowest bins.
    """
    n_bins = power.shape[2]
    cumulated = power.cumsum(2)
    last = torch.searchsorted(cumulated, part * cumulated[..., -1:])[..., 0] - 1
    return torch.where(last > 1, last / n_bins, 1.0)


def _flux(power: Tensor) -> Tensor:
    """(batch, n_frames, n_bins) -> (batch, n_frames): squared change of the log spectrum over its largest change.

    The first frame has no predecessor and takes the value of the second.
    """
    logarithm = power[..., 1:].clamp(min=1e-14).log()
    change = (logarithm[:, 1:] - logarithm[:, :-1]).square()
    flux = change.sum(2) / change.amax(2).clamp(min=1e-9) / power.shape[2]
    return torch.cat([flux[:, :1], flux], dim=1)


def _running(values: Tensor, memory: int) -> tuple[Tensor, Tensor]:
    """(batch, n_columns, n_frames) -> mean and deviation of the last `memory` frames at each frame, same shape.

    Before the first frame MARSYAS' Memory holds copies of it.
    """
    centre = values.mean(2, keepdim=True)  # near zero the two sums lose no digits against each other
    filled = pad(values - centre, (memory - 1, 0), mode="replicate")
    mean = _moving_sum(filled, memory) / memory
    square = _moving_sum(filled.square(), memory) / memory
    return mean + centre, (square - mean.square()).clamp(min=0).sqrt()


def _moving_sum(values: Tensor, length: int) -> Tensor:
    """(…, n) -> (…, n - length + 1): sums of `length` neighbours, made of sums of 1, 2, 4, … of them."""
    n_sums = values.shape[-1] - length + 1
    total = torch.zeros_like(values[..., :n_sums])
    start, width = 0, 1
    while width <= length:
        if length & width:
            total += values[..., start : start + n_sums]
            start += width
        values = values[..., :-width] + values[..., width:]
        width *= 2
    return total


def _deviation(values: Tensor) -> Tensor:
    """(batch, n_columns, n_frames) -> (batch, n_columns); many times as fast as `std`."""
    return (values - values.mean(2, keepdim=True)).square().mean(2).sqrt()


def _sign_changes(waveform: Tensor, length: int, hop: int) -> Tensor:
    """(batch, n_samples) -> (batch, n_frames): part of the samples of a centred frame whose sign is not the last one's.

    As in librosa: zero counts as positive, the first sample of a frame never counts, and beyond its ends the sound
    stays what it is there.
    """
    negative = waveform < 0
    changed = pad(negative[:, 1:] != negative[:, :-1], (length // 2, length // 2))
    counts = changed.unfold(1, length - 1, hop).sum(2, dtype=torch.int32)  # int32: twenty times as fast as int64
    return counts / length


def _auditory_toolbox_bank(sample_rate: int, n_fft: int) -> Tensor:
    """Slaney's 13 linear and 27 logarithmic triangles from 133 to 6,854 Hz (Auditory Toolbox, 1998): (40, n_bins)."""
    linear = 133.3333 + 66.66666 * torch.arange(13, dtype=torch.float64)
    edges = torch.cat([linear, linear[-1] * 1.0711703 ** torch.arange(1, 30, dtype=torch.float64)])
    lower, centre, upper = (edges[start : start + 40, None] for start in range(3))
    bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64) * sample_rate / n_fft
    rising, falling = (bins - lower) / (centre - lower), (upper - bins) / (upper - centre)
    return (torch.minimum(rising, falling).clamp(min=0) * 2 / (upper - lower)).float()


def chroma_bank(sample_rate: int, n_fft: int) -> Tensor:
    """Weights of the FFT bins for the twelve pitch classes from C, A at 440 Hz: (12, n_bins).

    Ellis' fft2chromamx (Chroma feature analysis and synthesis, 2007), as in librosa.filters.chroma, whose import
    takes seconds: a Gaussian over the distance in semitones, its deviation half a semitone or half a bin, whichever is
    more; each bin scaled to length 1, then weighted by a Gaussian over octaves around 880 Hz, its deviation two.
    """
    frequency = torch.arange(1, n_fft, dtype=torch.float64) * sample_rate / n_fft
    pitch = 12 * (frequency / (440 / 16)).log2()  # in semitones above the A at 27.5 Hz
    pitch = torch.cat([pitch[:1] - 18, pitch])  # the bin at 0 Hz has no pitch: an octave and a half below the first
    width = torch.cat([pitch.diff().clamp(min=1), torch.ones(1, dtype=torch.float64)])
    distance = torch.remainder(pitch - torch.arange(12)[:, None] + 6, 12) - 6
    bank: Tensor = torch.exp(-0.5 * (2 * distance / width).square())
    bank = bank / bank.norm(dim=0) * torch.exp(-0.5 * ((pitch / 12 - 5) / 2).square())
    return bank.roll(-3, 0)[:, : n_fft // 2 + 1].float()


def _dct(n_coefficients: int, n_bands: int) -> Tensor:
    """Orthonormal DCT-II: (n_coefficients, n_bands)."""
    order = torch.arange(n_coefficients, dtype=torch.float64)[:, None]
    phase = math.pi * order * (2 * torch.arange(n_bands, dtype=torch.float64) + 1) / (2 * n_bands)
    scale = torch.full((n_coefficients, 1), math.sqrt(2 / n_bands), dtype=torch.float64)
    scale[0] = math.sqrt(1 / n_bands)
    return (scale * torch.cos(phase)).float()
