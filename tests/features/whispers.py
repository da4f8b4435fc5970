"""A tiny Whisper with random weights and the real layout of its tokens."""

from pathlib import Path

import torch
import transformers
from transformers.models.whisper.tokenization_whisper import LANGUAGES

FIRST_LANGUAGE, START = 50_259, 50_258  # <|en|> and <|startoftranscript|> of the multilingual vocabulary


def save(folder: Path, *, says: str = "", version: int = 2) -> Path:
    """Write a model; `says` is a language that it is sure of, whatever it hears.

    Version 3 has one language more, Cantonese, one token more and 128 mel bands in place of 80.
    """
    n_mels, vocabulary = (128, 51_866) if version == 3 else (80, 51_865)
    config = transformers.WhisperConfig(
        d_model=8, encoder_layers=1, decoder_layers=1, encoder_attention_heads=1, decoder_attention_heads=1,
        encoder_ffn_dim=8, decoder_ffn_dim=8, vocab_size=vocabulary, decoder_start_token_id=START, num_mel_bins=n_mels,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = transformers.WhisperForConditionalGeneration(config)
        model.model.decoder.embed_tokens.weight.data.normal_()
    tokens = {f"<|{code}|>": FIRST_LANGUAGE + number for number, code in enumerate(LANGUAGES)}
    if version < 3:
        del tokens["<|yue|>"]
    model.generation_config._from_model_config = False  # as of models on the hub: with what Whisper adds
    model.generation_config.lang_to_id = tokens
    model.generation_config.is_multilingual = True
    model.generation_config.task_to_id = {"translate": 50_358, "transcribe": 50_359}
    model.generation_config.no_timestamps_token_id = 50_363
    if says:
        decoder = model.model.decoder
        decoder.layer_norm.weight.data.zero_()
        decoder.layer_norm.bias.data.zero_()[0] = 1.0
        decoder.embed_tokens.weight.data[:, 0] = 0.0
        decoder.embed_tokens.weight.data[tokens[f"<|{says}|>"], 0] = 12.0
    model.save_pretrained(folder)
    transformers.WhisperFeatureExtractor(feature_size=n_mels).save_pretrained(folder)
    return folder
