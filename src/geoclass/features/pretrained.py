"""Pretrained models, from a folder or the Hugging Face hub. The only module that imports transformers.

Weights are read from safetensors alone, and code that comes with a model is not run unless somebody allows it.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from geoclass.errors import ModelError

_HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
# In checkpoints of some encoders and not in others; only training uses them, and missing ones are drawn at random.
_OF_TRAINING = ("masked_spec_embed",)


@dataclass(frozen=True)
class Encoder:
    """A frozen encoder and what prepares its input."""

    model: Any  # (batch, …) inputs -> last_hidden_state, hidden_states
    extractor: Any  # list of (n_samples,) -> inputs
    sample_rate: int  # Hz
    width: int  # of the hidden states
    revision: str  # the commit that was loaded; "" of a folder
    weights_sha256: str


def load_encoder(
    backbone: str, *, revision: str = "", local_files_only: bool = False, trust_remote_code: bool = False
) -> Encoder:
    """W2V-BERT, wav2vec 2.0, HuBERT, WavLM, AST and what else `AutoModel` makes of sound.

    Raises:
        ModelError: transformers is not installed, the model is not there, is not an audio encoder, has no safetensors
            or lacks weights, or needs code of its own that was not allowed.
    """
    transformers = _transformers("a pretrained encoder", extra="pretrained")
    where = {
        "revision": revision or "main",
        "local_files_only": local_files_only,
        "trust_remote_code": trust_remote_code,
    }
    with _loading(transformers, backbone, "front_end.backbone"):
        extractor = transformers.AutoFeatureExtractor.from_pretrained(backbone, **where)
        model, loading = transformers.AutoModel.from_pretrained(
            backbone, use_safetensors=True, output_loading_info=True, **where
        )
    _refuse_missing(backbone, loading)
    if not hasattr(extractor, "sampling_rate") or model.config.is_encoder_decoder:
        raise ModelError(
            f"{backbone!r} ({type(model).__name__}) is not an audio encoder",
            hint="docs/encoders.md lists some, such as facebook/w2v-bert-2.0",
        )
    model = model.float().eval().requires_grad_(False)
    return Encoder(
        model=model,
        extractor=extractor,
        sample_rate=int(extractor.sampling_rate),
        width=int(model.config.hidden_size),
        revision=getattr(model.config, "_commit_hash", None) or "",
        weights_sha256=_sha256(model.state_dict()),
    )


def load_w2v_bert(backbone: str, config: Mapping[str, Any] | None) -> Any:
    """The trunk of W2V-BERT 2.0, to be trained: from `backbone`, or with random weights from a configuration.

    Raises:
        ModelError: transformers is not installed, or the backbone is not there or is something else.
    """
    transformers = _transformers("model wav2vec2-bert", extra="wav2vec2-bert")
    # The training loop masks and drops by its own seeds, not inside the trunk by the global one.
    quiet = {"mask_time_prob": 0.0, "mask_feature_prob": 0.0, "layerdrop": 0.0}
    if config is not None:
        return transformers.Wav2Vec2BertModel(transformers.Wav2Vec2BertConfig(**{**config, **quiet}))
    with _loading(transformers, backbone, "model.backbone"):
        return transformers.Wav2Vec2BertModel.from_pretrained(backbone, use_safetensors=True, **quiet)


@dataclass(frozen=True)
class Whisper:
    """A Whisper model and the tokens that name languages."""

    model: Any
    extractor: Any
    languages: tuple[str, ...]  # ISO 639-1 where there is one
    tokens: tuple[int, ...]  # one for each language
    weights_sha256: str


def load_whisper(backbone: str, *, local_files_only: bool = False) -> Whisper:
    """A multilingual Whisper model.

    Raises:
        ModelError: transformers is not installed, or the model is not there or does not identify languages.
    """
    transformers = _transformers("identifying the sung language", extra="whisper")
    with _loading(transformers, backbone, "--language-model"):
        extractor = transformers.WhisperFeatureExtractor.from_pretrained(backbone, local_files_only=local_files_only)
        model, loading = transformers.WhisperForConditionalGeneration.from_pretrained(
            backbone, use_safetensors=True, output_loading_info=True, local_files_only=local_files_only
        )
    _refuse_missing(backbone, loading)
    tokens = getattr(model.generation_config, "lang_to_id", None) or {}
    if not tokens:
        raise ModelError(
            f"{backbone!r} does not identify languages",
            hint="take a multilingual Whisper, such as openai/whisper-small",
        )
    in_order = sorted(tokens.items(), key=lambda pair: int(pair[1]))
    model = model.float().eval().requires_grad_(False)
    return Whisper(
        model=model,
        extractor=extractor,
        languages=tuple(token.strip("<|>") for token, _ in in_order),
        tokens=tuple(int(number) for _, number in in_order),
        weights_sha256=_sha256(model.state_dict()),
    )


def _transformers(what: str, *, extra: str) -> Any:
    try:
        import transformers
    except ImportError as error:
        raise ModelError(f"{what} needs the package transformers", hint=f"pip install 'geoclass[{extra}]'") from error
    return transformers


@contextmanager
def _loading(transformers: Any, backbone: str, option: str) -> Iterator[None]:
    """Without transformers' own progress bars and advice; its errors become ours."""
    logging = transformers.utils.logging
    verbosity, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        reason = _reason(backbone, error)
        hint = f"give a folder with config.json and model.safetensors, or an id of the hub: --set {option}=PATH-OR-ID"
        if option.startswith("--"):
            hint = f"give a folder with config.json and model.safetensors, or an id of the hub: {option} PATH-OR-ID"
        if "trust_remote_code" in str(error):
            reason = "it comes with its own Python code, which is not run without permission"
            hint = "read that code first; then allow it: --set front_end.trust_remote_code=true"
        raise ModelError(f"the pretrained model {backbone!r} cannot be loaded: {reason}", hint=hint) from error
    finally:
        logging.set_verbosity(verbosity)
        if had_bars:
            logging.enable_progress_bar()


def _reason(backbone: str, error: Exception) -> str:
    if Path(backbone).is_dir() or not isinstance(error, OSError | ValueError):
        return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if _HUB_ID.fullmatch(backbone) is None:
        return "the folder does not exist"
    return "it is not in the local cache, and the hub does not have it or does not respond"


def _refuse_missing(backbone: str, loading: Mapping[str, Any]) -> None:
    """Refuse a file that lacks weights: transformers would draw them at random."""
    if missing := sorted(name for name in loading["missing_keys"] if not name.endswith(_OF_TRAINING)):
        raise ModelError(
            f"the pretrained model {backbone!r} lacks weights: {', '.join(missing[:3])} and so on ({len(missing)})",
            hint="its model.safetensors belongs to another architecture; get it again",
        )


def _sha256(state: Mapping[str, torch.Tensor]) -> str:
    """Of names, shapes and numbers, however they are divided into files."""
    digest = hashlib.sha256()
    for name, values in sorted(state.items()):
        if not name.endswith(_OF_TRAINING):
            digest.update(f"{name}{tuple(values.shape)}".encode())
            digest.update(values.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
