"""The pitch of a recording moved, its length kept."""

from fractions import Fraction

import torch
from torch import Tensor


def pitch_shift(waveform: Tensor, *, sample_rate: int, semitones: float) -> Tensor:
    """Raise or lower the pitch and keep the length: phase vocoder, then resampling.

    Args:
        waveform: (…, n_samples) in [-1, 1].
        sample_rate: In Hz; sets the length of the vocoder's window (about 93 ms).
        semitones: Upward when positive.

    Returns:
        As `waveform`.
    """
    from torchaudio.functional import phase_vocoder, resample

    # A ratio of small numbers: torchaudio's own pitch_shift resamples by sample_rate : int(sample_rate * ratio), whose
    # filter bank takes gigabytes when the two share no divisor. 1 / 200 is off by less than a hundredth of a semitone.
    ratio = Fraction(2.0 ** (semitones / 12)).limit_denominator(200)
    if ratio == 1:
        return waveform
    n_fft = 2 ** round(torch.tensor(sample_rate * 0.093).log2().item())  # samples
    hop_length = n_fft // 4
    window = torch.hann_window(n_fft, device=waveform.device)
    n_samples = waveform.shape[-1]
    # Silence before the start, not its mirror image: the vocoder keeps the first frame's phases, and those of a
    # mirrored tone cancel (at 440 Hz two thirds of the amplitude are lost).
    spectrum = torch.stft(
        waveform.reshape(-1, n_samples), n_fft, hop_length, window=window, pad_mode="constant", return_complex=True
    )
    advance = torch.linspace(0, torch.pi * hop_length, n_fft // 2 + 1, device=waveform.device)[:, None]
    slower = phase_vocoder(spectrum, float(1 / ratio), advance)
    long = torch.istft(slower, n_fft, hop_length, window=window, length=round(n_samples * ratio))
    shifted = resample(long, ratio.numerator, ratio.denominator)[..., :n_samples]
    missing = n_samples - shifted.shape[-1]
    return torch.nn.functional.pad(shifted, (0, missing)).clamp(-1.0, 1.0).reshape(waveform.shape)
