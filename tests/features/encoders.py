"""Tiny encoders of each family with random weights, saved as those on the hub are."""

from collections.abc import Callable
from pathlib import Path

import torch
import transformers

SMALL = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24}
CONVOLUTIONS = {"conv_dim": (8,) * 7, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2}


def _wav2vec2(folder: Path) -> None:
    config = transformers.Wav2Vec2Config(**SMALL, **CONVOLUTIONS, num_codevectors_per_group=4, codevector_dim=8)
    transformers.Wav2Vec2Model(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)


def _hubert(folder: Path) -> None:
    transformers.HubertModel(transformers.HubertConfig(**SMALL, **CONVOLUTIONS)).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)


def _mert(folder: Path) -> None:
    """HuBERT at 24 kHz with layer norms first, as MERT is once it needs no code of its own."""
    config = transformers.HubertConfig(**SMALL, **CONVOLUTIONS, do_stable_layer_norm=True, feat_extract_norm="layer")
    transformers.HubertModel(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(sampling_rate=24_000, return_attention_mask=True).save_pretrained(folder)


def _w2v_bert(folder: Path) -> None:
    config = transformers.Wav2Vec2BertConfig(**SMALL, feature_projection_input_dim=160, conv_depthwise_kernel_size=3)
    transformers.Wav2Vec2BertModel(config).save_pretrained(folder)
    transformers.SeamlessM4TFeatureExtractor().save_pretrained(folder)


def _ast(folder: Path) -> None:
    config = transformers.ASTConfig(**SMALL, max_length=256)
    transformers.ASTModel(config).save_pretrained(folder)
    transformers.ASTFeatureExtractor(max_length=256).save_pretrained(folder)


FAMILIES: dict[str, Callable[[Path], None]] = {
    "wav2vec2": _wav2vec2,
    "hubert": _hubert,
    "mert": _mert,
    "w2v-bert": _w2v_bert,
    "ast": _ast,
}


def save(family: str, folder: Path) -> Path:
    """Write an encoder; the same one each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        FAMILIES[family](folder)
    return folder
