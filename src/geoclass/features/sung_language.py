"""Which language is sung: the language token that Whisper gives to an excerpt."""

import torch
from torch import Tensor

from geoclass.features.base import in_half_precision
from geoclass.features.pretrained import load_whisper

# Whisper's own codes where they are not those of ISO 639-1.
_CODES = {"jw": "jv", "yue": "zh"}


class SungLanguage:
    """Asks a Whisper model for the language of a recording (Radford et al. 2022, section 2.3).

    On a GPU it computes in half precision.

    Args:
        backbone: A folder, or an id of the Hugging Face hub, such as openai/whisper-small.
        local_files_only: Never ask the network.
        device: Where it computes.

    Raises:
        ModelError: It cannot be loaded, or knows English alone.
    """

    sample_rate = 16_000  # Hz
    window_s = 30.0  # of which Whisper hears one at a time; shorter sounds are padded with silence

    def __init__(self, backbone: str, *, local_files_only: bool = False, device: str | torch.device = "cpu") -> None:
        whisper = load_whisper(backbone, local_files_only=local_files_only)
        codes = tuple(_CODES.get(code, code) for code in whisper.languages)
        self.languages = tuple(dict.fromkeys(codes))  # of the columns
        self.weights_sha256 = whisper.weights_sha256
        self._column = torch.tensor([self.languages.index(code) for code in codes])
        self._tokens = list(whisper.tokens)
        self._model = whisper.model.to(device)
        self._extractor = whisper.extractor
        self._device = torch.device(device)

    def probabilities(self, waveform: Tensor) -> Tensor:
        """Of each language, given that one is sung; the mean over windows of 30 s, weighted by their length.

        Args:
            waveform: (n_samples,) float32 in [-1, 1] at `sample_rate`.

        Returns:
            (n_languages,) float64 with sum 1.
        """
        windows = torch.split(waveform, round(self.window_s * self.sample_rate))
        inputs = self._extractor(
            [window.cpu().numpy() for window in windows], sampling_rate=self.sample_rate, return_tensors="pt"
        )["input_features"].to(self._device)
        start = torch.full((len(windows), 1), self._model.config.decoder_start_token_id, device=self._device)

        def logits() -> Tensor:
            after_start: Tensor = self._model(input_features=inputs, decoder_input_ids=start).logits[:, -1]
            return after_start[:, self._tokens].float()

        with torch.inference_mode():
            by_window = in_half_precision(logits, self._device).cpu().double().softmax(dim=1)
        weights = torch.tensor([float(len(window)) for window in windows], dtype=torch.float64)
        mean = (weights / weights.sum()) @ by_window
        return torch.zeros(len(self.languages), dtype=torch.float64).index_add(0, self._column, mean)
