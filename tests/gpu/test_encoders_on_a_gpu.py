"""Pretrained encoders on a CUDA device, in half precision and in batches: the rows of a CPU. Skipped without one."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("transformers")
sys.path.insert(0, str(Path(__file__).parents[1] / "features"))

import whispers
from encoders import FAMILIES, save

from geoclass.config.frontends import EmbeddingConfig
from geoclass.config.settings import BuildConfig
from geoclass.dataset.extract import Job, create_runner
from geoclass.features.embedding import Embedding
from geoclass.features.registry import create_front_end, open_encoder, wants_batches
from geoclass.features.sung_language import SungLanguage

DEVICE = "cuda"
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]


def noise(seconds: float, rate: int, n: int = 3) -> torch.Tensor:
    return 0.1 * torch.randn(n, round(seconds * rate), generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("family", FAMILIES)
def test_half_precision_gives_the_rows_of_the_cpu(tmp_path: Path, family: str) -> None:
    folder = save(family, tmp_path)
    config = EmbeddingConfig(backbone=str(folder), layers=(1, -1), pooling="mean+std")
    here, there = create_front_end(config), open_encoder(config)
    assert wants_batches(there)
    assert not wants_batches(here)
    waveform = noise(2.0, here.sample_rate)
    torch.testing.assert_close(there(waveform.to(DEVICE)).cpu(), here(waveform), atol=0.05, rtol=0.02)


def test_what_half_precision_cannot_hold_is_computed_again(tmp_path: Path) -> None:
    config = EmbeddingConfig(backbone=str(save("hubert", tmp_path)))
    here, there = create_front_end(config), open_encoder(config)
    for front_end in (here, there):
        assert isinstance(front_end, Embedding)
        with torch.no_grad():
            front_end.encoder.encoder.layers[-1].final_layer_norm.bias.fill_(1e6)  # type: ignore[union-attr]
    waveform = noise(1.0, here.sample_rate)
    torch.testing.assert_close(there(waveform).cpu(), here(waveform), rtol=1e-3, atol=0.0)


def test_files_go_through_it_in_batches(music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    front_end = create_front_end(EmbeddingConfig(backbone=str(save("wav2vec2", tmp_path))))
    assert isinstance(front_end, Embedding)
    config = BuildConfig(front_end=front_end.resolved, segment_seconds=3.0)
    sizes: list[int] = []
    rows = Embedding._rows
    monkeypatch.setattr(Embedding, "_rows", lambda self, x: sizes.append(len(x)) or rows(self, x))
    paths = sorted(path.relative_to(music).as_posix() for path in music.rglob("*.mp3"))[:20]
    made = [*create_runner(music, config)(Job(path, path) for path in paths)]
    assert [one.track_id for one in made] == paths
    assert all(one.features is not None and np.isfinite(one.features).all() for one in made)
    assert len(sizes) == 1


def test_the_sung_language_is_that_of_the_cpu(tmp_path: Path) -> None:
    folder = str(whispers.save(tmp_path))
    here, there = (SungLanguage(folder, device=device) for device in ("cpu", DEVICE))
    sound = noise(7.0, 16_000, n=1)[0]
    torch.testing.assert_close(there.probabilities(sound), here.probabilities(sound), atol=1e-3, rtol=0.05)


def test_the_sung_language_is_computed_in_half_precision(tmp_path: Path) -> None:
    language = SungLanguage(str(whispers.save(tmp_path)), device=DEVICE)
    dtypes: list[torch.dtype] = []
    language._model.model.encoder.conv1.register_forward_hook(lambda _, __, output: dtypes.append(output.dtype))
    sound = noise(3.0, 16_000, n=1)[0]
    language.probabilities(sound)
    assert dtypes == [torch.float16]
    with torch.no_grad():
        language._model.model.decoder.layer_norm.bias.fill_(1e6)
    assert torch.isfinite(language.probabilities(sound)).all()
    assert dtypes == [torch.float16, torch.float16, torch.float32], "beyond the range of half precision"
