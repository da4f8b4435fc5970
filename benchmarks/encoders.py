"""What pretrained encoders cost: core seconds for 30 s of sound, beside decoding an MP3 of as much.

    python benchmarks/encoders.py [--rounds 3] [--encoder NAME]… [--device cpu]

The encoders have the sizes of the published ones and random weights: time does not depend on the numbers.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import torch
import transformers

from geoclass.audio.decode import load_excerpt
from geoclass.config.frontends import EmbeddingConfig
from geoclass.features.registry import create_front_end

SECONDS = 30
SEGMENTS = {"ast": 10.0}  # seconds; 5 for the others
BASE = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}


def write_encoders(folder: Path, wanted: list[str]) -> list[str]:
    """Save an encoder of each published size, or of those that are wanted."""
    speech = transformers.Wav2Vec2FeatureExtractor()
    sizes = {
        "wav2vec2-base": lambda: (transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(**BASE)), speech),
        "hubert-base": lambda: (transformers.HubertModel(transformers.HubertConfig(**BASE)), speech),
        "mert-95M": lambda: (
            transformers.HubertModel(transformers.HubertConfig(**BASE)),
            transformers.Wav2Vec2FeatureExtractor(sampling_rate=24_000),
        ),
        "ast": lambda: (transformers.ASTModel(transformers.ASTConfig(**BASE)), transformers.ASTFeatureExtractor()),
        "w2v-bert-2.0": lambda: (
            transformers.Wav2Vec2BertModel(transformers.Wav2Vec2BertConfig()),
            transformers.SeamlessM4TFeatureExtractor(),
        ),
    }
    names = wanted or list(sizes)
    for name in names:
        model, extractor = sizes[name]()
        model.save_pretrained(folder / name)
        extractor.save_pretrained(folder / name)
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--encoder", action="append", default=[], help="by name, such as w2v-bert-2.0; repeatable")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="geoclass-bench-") as name:
        folder = Path(name)
        sound = 0.1 * np.random.default_rng(0).standard_normal(SECONDS * 44_100)
        soundfile.write(folder / "sound.mp3", sound, 44_100)
        print(f"{'encoder':16}{'million weights':>16}{'core s':>9}{'of decoding':>13}")
        for encoder in write_encoders(folder, arguments.encoder):
            front_end = create_front_end(EmbeddingConfig(backbone=str(folder / encoder))).to(arguments.device)
            seconds = SEGMENTS.get(encoder, 5.0)
            samples = round(seconds * front_end.sample_rate)
            batch = 0.1 * torch.randn(round(SECONDS / seconds), samples)
            heard, decoded = [], []
            for _ in range(arguments.rounds):
                begun = time.process_time()
                load_excerpt(folder / "sound.mp3", sample_rate=front_end.sample_rate, duration_s=SECONDS)
                decoded.append(time.process_time() - begun)
                begun = time.process_time()
                front_end(batch).cpu()
                heard.append(time.process_time() - begun)
            n_weights = sum(weights.numel() for weights in front_end.parameters())
            ratio = statistics.median(heard) / statistics.median(decoded)
            print(f"{encoder:16}{n_weights / 1e6:16.0f}{statistics.median(heard):9.2f}{ratio:13.0f}")


if __name__ == "__main__":
    main()
