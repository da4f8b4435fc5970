"""The witnesses of a run of `geoclass tag` and their sources."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from geoclass.cli.console import Output
from geoclass.errors import UsageError

if TYPE_CHECKING:
    from geoclass.evidence.registry import Sources, SungLanguageOf
    from geoclass.inference.classifier import Classifier
    from geoclass.inference.heard import HeardCache


def chosen_witnesses(
    evidence: str | None, models: Sequence[str] | None, language_model: str | None
) -> tuple[str, ...] | None:
    """The witnesses on the country: those named; none with a named model; else all whose requirements are met."""
    from geoclass.evidence.registry import USUAL, parse_witnesses
    from geoclass.evidence.sung_language import NAME

    asked = parse_witnesses(evidence) if evidence is not None else None if models else USUAL
    if language_model is None and NAME in (asked or ()):
        raise UsageError(
            f"the witness {NAME} needs a Whisper model", hint="for example --language-model openai/whisper-small"
        )
    if language_model is not None and evidence is None and asked is not None:
        return (*asked, NAME)
    if language_model is not None and NAME not in (asked or ()):
        raise UsageError("--language-model needs its witness", hint=f"add --evidence {NAME},…")
    return asked


def open_sources(
    witnesses: Sequence[str],
    output: Output,
    *,
    lookup: str | None,
    models: Sequence[str],
    sung_language: "SungLanguageOf | None",
) -> "Sources":
    """The user's own sources, and MusicBrainz' web service where it is asked for."""
    from geoclass.evidence.registry import Sources

    sources = Sources.open(witnesses, learned=not models, note=output.warn, sung_language=sung_language)
    if lookup:
        from geoclass.evidence.musicbrainz_web import MusicBrainz, TableThenWeb

        sources = replace(sources, artists=TableThenWeb(sources.artists, MusicBrainz(note=output.warn)))
    return sources


def open_listener(
    language_model: str | None, *, device: str, cache: "HeardCache | None" = None, **options: Any
) -> "SungLanguageOf | None":
    """What identifies the sung language; None where no Whisper model is named."""
    if language_model is None:
        return None
    from geoclass.inference.sung import Listener
    from geoclass.parallel.device import resolve_device

    return Listener(language_model, cache=cache, device=resolve_device(device), **options)


def models_by_field(classifier: "Classifier | None") -> dict[str, str]:
    """The name of the model that predicts each field."""
    bundles = getattr(classifier, "bundles", ())
    return {task: bundle.identity.split(" ")[0] for bundle in bundles for task in bundle.tasks}
