"""Pretrained models, loaded from their files. The only module that imports transformers.

Weights are read from safetensors alone, and code that comes with a model is not run unless somebody allows it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch
from safetensors import SafetensorError

from geoclass.errors import ModelError
from geoclass.features.hub import find_model

# In checkpoints of some encoders and not in others; only training uses them, and missing ones are drawn at random.
_OF_TRAINING = ("masked_spec_embed",)
_AGAIN = "put the encoder back, or write where it is now to front_end.backbone in the model's bundle.json: "
_AGAIN += "its weights are checked"


@dataclass(frozen=True)
class Encoder:
    """A frozen encoder and what prepares its input."""

    model: Any  # (batch, …) inputs -> last_hidden_state, hidden_states
    extractor: Any  # list of (n_samples,) -> inputs
    sample_rate: int  # Hz
    backbone: str  # an absolute path, or an id of the hub
    revision: str  # the commit that was loaded; "" of a folder
    weights_sha256: str


def load_encoder(
    backbone: str,
    *,
    revision: str = "",
    local_files_only: bool = False,
    trust_remote_code: bool = False,
    known: bool = False,
) -> Encoder:
    """W2V-BERT, wav2vec 2.0, HuBERT, WavLM, AST and what else `AutoModel` makes of sound.

    Args:
        backbone: A folder, or an id of the hub.
        revision: Branch, tag or commit of the hub; "": main.
        local_files_only: Never use the network.
        trust_remote_code: Run code that comes with the model.
        known: A model was trained on its rows: nobody chooses it now, it must be found again.

    Raises:
        ModelError: transformers is not installed, the model is not there, has no safetensors or lacks weights, or
            needs code of its own that was not allowed.
    """
    transformers = _transformers("a pretrained encoder", extra="pretrained")
    found = find_model(
        backbone,
        hint=_AGAIN if known else _hint("--set front_end.backbone=PATH-OR-ID"),
        revision=revision,
        local_files_only=local_files_only,
        with_code=trust_remote_code,
    )
    if not trust_remote_code:
        _refuse_code(backbone, found.folder)
    # Code may come from yet another repository; everything else is here by now.
    where = {"local_files_only": local_files_only or not trust_remote_code, "trust_remote_code": trust_remote_code}
    with _loading(transformers, backbone):
        extractor = transformers.AutoFeatureExtractor.from_pretrained(found.folder, **where)
        model, loading = transformers.AutoModel.from_pretrained(
            found.folder, use_safetensors=True, output_loading_info=True, **where
        )
    _refuse_missing(backbone, loading)
    model = model.float().eval().requires_grad_(False)
    return Encoder(
        model=model,
        extractor=extractor,
        backbone=backbone if found.revision else str(found.folder),
        sample_rate=int(getattr(extractor, "sampling_rate", 0)),
        revision=found.revision,
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
    found = find_model(backbone, hint=_hint("--set model.backbone=PATH-OR-ID"), with_extractor=False)
    with _loading(transformers, backbone):
        _expect(transformers, backbone, found.folder, model_type="wav2vec2-bert", name="W2V-BERT 2.0")
        model, loading = transformers.Wav2Vec2BertModel.from_pretrained(
            found.folder, use_safetensors=True, output_loading_info=True, local_files_only=True, **quiet
        )
    _refuse_missing(backbone, loading)
    return model


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
    found = find_model(backbone, hint=_hint("--language-model PATH-OR-ID"), local_files_only=local_files_only)
    with _loading(transformers, backbone):
        _expect(transformers, backbone, found.folder, model_type="whisper", name="Whisper")
        extractor = transformers.WhisperFeatureExtractor.from_pretrained(found.folder, local_files_only=True)
        model, loading = transformers.WhisperForConditionalGeneration.from_pretrained(
            found.folder, use_safetensors=True, output_loading_info=True, local_files_only=True
        )
    _refuse_missing(backbone, loading)
    generation = model.generation_config
    tokens = getattr(generation, "lang_to_id", None) or {}
    if not tokens or getattr(generation, "is_multilingual", None) is False:
        raise ModelError(
            f"{backbone!r} does not identify languages: its generation_config.json "
            + ("says that it knows English alone" if tokens else "has no lang_to_id"),
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


def _hint(option: str) -> str:
    return f"give a folder with config.json and model.safetensors, or an id of the hub: {option}"


def _refuse_code(backbone: str, folder: Path) -> None:
    """Where transformers has classes of its own for a model it would take those, and nobody would know."""
    for name in ("config.json", "preprocessor_config.json"):
        try:
            settings = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # transformers says what is wrong
            continue
        if isinstance(settings, dict) and settings.get("auto_map"):
            raise ModelError(
                f"the pretrained model {backbone!r} cannot be loaded: it comes with its own Python code, which is not "
                "run without permission",
                hint="read that code first; then allow it: --set front_end.trust_remote_code=true",
            )


def _expect(transformers: Any, backbone: str, folder: Path, *, model_type: str, name: str) -> None:
    found = transformers.AutoConfig.from_pretrained(folder, local_files_only=True).model_type
    if found != model_type:
        raise ModelError(
            f"{backbone!r} is not a {name}: its config.json says {found}", hint=f"name the folder or the id of a {name}"
        )


@contextmanager
def _loading(transformers: Any, backbone: str) -> Iterator[None]:
    """Without transformers' own progress bars and advice; its errors become ours."""
    logging = transformers.utils.logging
    verbosity, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        reason = shorten((str(error).strip() or type(error).__name__).splitlines()[0], 200, placeholder=" …")
        hint = "its files do not fit together, or are damaged: get it again"
        raise ModelError(f"the pretrained model {backbone!r} cannot be loaded: {reason}", hint=hint) from error
    finally:
        logging.set_verbosity(verbosity)
        if had_bars:
            logging.enable_progress_bar()


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
