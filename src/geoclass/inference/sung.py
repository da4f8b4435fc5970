"""The language that is sung in a file, heard once: a Whisper model over the excerpt, kept in the cache."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from geoclass.audio.decode import load_excerpt
from geoclass.audio.quality import describe
from geoclass.errors import AudioError
from geoclass.features.sung_language import SungLanguage
from geoclass.inference.heard import Heard, HeardCache
from geoclass.storage import fingerprint


class Listener:
    """Asks a Whisper model which language is sung in files.

    Args:
        backbone: A folder, or an id of the Hugging Face hub, such as openai/whisper-small.
        excerpt_seconds: How much of the middle of a file is listened to; Whisper hears 30 s at a time.
        cache: Where to look first, and to keep what is new.
        device: Where it computes.

    Raises:
        ModelError: The model cannot be loaded, or knows English alone.
    """

    def __init__(
        self,
        backbone: str,
        *,
        excerpt_seconds: float = 30.0,
        cache: HeardCache | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self._model = SungLanguage(backbone, device=device)
        self._excerpt_seconds, self._cache = excerpt_seconds, cache
        known = ("sung language", self._model.weights_sha256, self._model.languages)
        self.identity = fingerprint(*known)[:8]
        self._key = fingerprint(*known, excerpt_seconds)

    def __call__(self, path: Path) -> Mapping[str, float]:
        """The probability of each language that it is sung; {} for what is not music or cannot be decoded."""
        try:
            known = self._cache.get(self._cache.sound_of(path), self._key) if self._cache is not None else None
            if known is None:
                known = self._hear(path)
                if self._cache is not None:
                    self._cache.put(self._cache.sound_of(path), self._key, known)
        except AudioError:  # reported when the models are asked
            return {}
        return {} if known.note else dict(zip(self._model.languages, known.features[0].tolist(), strict=True))

    def _hear(self, path: Path) -> Heard:
        rate = self._model.sample_rate
        waveform = load_excerpt(path, sample_rate=rate, duration_s=self._excerpt_seconds)
        if note := describe(waveform, sample_rate=rate):
            return Heard(features=np.zeros(0, np.float32), note=note)
        return Heard(features=self._model.probabilities(torch.from_numpy(waveform)).float().numpy()[None])
