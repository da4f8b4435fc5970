"""Where the files of a pretrained model lie: a folder, or what the Hugging Face hub has of it, downloaded once.

The only module that imports huggingface_hub.
"""

import logging
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from geoclass.errors import ModelError

# What is read of a model, and nothing of what else its repository holds: weights that would be unpickled, or doubles.
_FILES = ("*.json", "model.safetensors", "model-*-of-*.safetensors")
_CODE = "*.py"
_WEIGHTS, _EXTRACTOR = "model.safetensors", "preprocessor_config.json"
_ELSE = {_WEIGHTS: "model.safetensors.index.json", _EXTRACTOR: "processor_config.json"}  # the same, in other files
_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Found:
    """The files of a model."""

    folder: Path
    revision: str  # the commit on the hub; "" of a folder


def find_model(
    backbone: str,
    *,
    hint: str,
    revision: str = "",
    local_files_only: bool = False,
    with_code: bool = False,
    with_extractor: bool = True,
) -> Found:
    """The files of a model, from a folder or from the hub.

    A commit that was downloaded before is not looked up again; of a branch the newest commit is, where there is a
    network, and otherwise the one that was downloaded last counts.

    Args:
        backbone: A folder, or an id of the hub.
        hint: For the error where there is neither.
        revision: Branch, tag or commit of the hub; "": main.
        local_files_only: Never use the network.
        with_code: Download its Python code too.
        with_extractor: Expect the settings of its feature extractor.

    Raises:
        ModelError: It is not there, or files are missing.
    """
    folder = Path(backbone).expanduser()
    if folder.is_dir():
        found = Found(folder.absolute(), "")
    elif _HUB_ID.fullmatch(backbone) is None:
        raise ModelError(f"the pretrained model {backbone!r} cannot be loaded: the folder does not exist", hint=hint)
    else:
        found = _download(backbone, revision or "main", local_files_only=local_files_only, code=with_code, hint=hint)
    _check_files(backbone, found.folder, ("config.json", _WEIGHTS, *([_EXTRACTOR] if with_extractor else [])), hint)
    return found


def _download(backbone: str, revision: str, *, local_files_only: bool, code: bool, hint: str) -> Found:
    import huggingface_hub
    from huggingface_hub.errors import GatedRepoError, RevisionNotFoundError

    files = [*_FILES, _CODE] if code else [*_FILES]
    ways = (True,) if local_files_only else (True, False) if _COMMIT.fullmatch(revision) else (False,)
    reason = "it is not in the local cache, there is no such folder, "
    reason += (
        "and local_files_only=true rules out the hub"
        if local_files_only
        else "and the hub does not have it or does not respond"
    )
    why: Exception | None = None
    for local in ways:
        try:
            with _quietly():
                folder = huggingface_hub.snapshot_download(
                    backbone, revision=revision, allow_patterns=files, local_files_only=local
                )
            return Found(Path(folder), Path(folder).name)
        except GatedRepoError as error:
            reason, why = "its licence must be accepted on the hub first; then log in: `hf auth login`", error
        except RevisionNotFoundError as error:
            reason, why = f"the hub has no revision {revision!r} of it", error
        except (OSError, ValueError) as error:  # no network, no such model, no name of a model
            why = error
    raise ModelError(f"the pretrained model {backbone!r} cannot be loaded: {reason}", hint=hint) from why


@contextmanager
def _quietly() -> Iterator[None]:
    """Without word of what is tried again, and with a bar for the download on a terminal alone."""
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    log = logging.getLogger("huggingface_hub")
    level, had_bars = log.level, not are_progress_bars_disabled()
    log.setLevel(logging.ERROR)
    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        yield
    finally:
        log.setLevel(level)
        if had_bars:
            enable_progress_bars()


def _check_files(backbone: str, folder: Path, wanted: Sequence[str], hint: str) -> None:
    lacking = [name for name in wanted if not any((folder / one).is_file() for one in (name, _ELSE.get(name, name)))]
    if not lacking:
        return
    if lacking == [_WEIGHTS]:
        hint = "weights in other formats, such as pytorch_model.bin, can contain code and are not opened; "
        hint += "docs/encoders.md shows how to convert them"
    elif lacking == [_EXTRACTOR]:
        hint = "it says how sound is prepared for the model: get it from where the model is from"
    where = "" if folder == Path(backbone) else f" in {folder}"
    raise ModelError(
        f"the pretrained model {backbone!r} cannot be loaded: it has no {' and no '.join(lacking)}{where}", hint=hint
    )
