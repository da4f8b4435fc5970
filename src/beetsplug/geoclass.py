"""A plugin for beets (https://beets.io): `beet geoclass` fills the artist's country and the genre.

    plugins: geoclass
    geoclass:
        auto: no              # also on import
        fields: country genre
        force: no             # replace existing values
        model: []             # names or folders, used without other witnesses; empty: as `geoclass tag` without --model
        min_confidence: ''    # minimum probability; empty: the default of `geoclass tag`

The country is the flexible attribute `artist_country`, which beets writes as ARTISTCOUNTRY. geoclass only says what it
predicts: all writing, to the library and to the files, is done by beets, under its own `import.write`.
"""

import optparse
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import mediafile
from beets import ui
from beets.dbcore import types
from beets.importer import ImportSession, ImportTask
from beets.library import Item, Library
from beets.plugins import BeetsPlugin
from beets.util import syspath

if TYPE_CHECKING:
    from geoclass.inference.classifier import Classifier
    from geoclass.tagging.policy import Policy

# The flexible attribute of beets, the tag it is written as, and the field of geoclass.
_TAGS = {
    "artist_country": ("ARTISTCOUNTRY", "country"),
    "geoclass_country": ("GEOCLASS_COUNTRY", "country_candidates"),
    "geoclass_genre": ("GEOCLASS_GENRE", "genre_candidates"),
    "geoclass_evidence": ("GEOCLASS_EVIDENCE", "evidence"),
    "geoclass_model": ("GEOCLASS_MODEL", "model"),
}
_GENRES = "genres" if "genres" in Item._fields else "genre"  # a list since beets 2.6

Values = Mapping[str, tuple[str, ...]]


class GeoclassPlugin(BeetsPlugin):
    """Predicts the country and genre of items, and sets their fields."""

    item_types: ClassVar[dict[str, types.Type]] = dict.fromkeys(_TAGS, types.STRING)

    def __init__(self) -> None:
        super().__init__()
        self.config.add({"auto": False, "fields": "country genre", "force": False, "model": [], "min_confidence": ""})
        for attribute, (tag, _) in _TAGS.items():
            self.add_media_field(attribute, _media_field(tag))
        if self.config["auto"].get(bool):
            self.import_stages = [self.imported]

    def commands(self) -> Sequence[ui.Subcommand]:
        """`beet geoclass [QUERY]`."""
        command = ui.Subcommand("geoclass", help="fill the artist's country and the genre from sound and tags")
        command.parser.add_option("-p", "--pretend", action="store_true", help="show what would change, change nothing")
        command.parser.add_option("-f", "--force", action="store_true", help="replace existing values")
        command.func = self._command
        return [command]

    def imported(self, session: ImportSession, task: ImportTask) -> None:
        """The import stage; beets writes the files afterwards."""
        for item, values in self._decided(list(task.imported_items()), force=self.config["force"].get(bool)):
            if self._set(item, values):
                item.store()

    def _command(self, lib: Library, options: optparse.Values, query: list[str]) -> None:
        force = options.force or self.config["force"].get(bool)
        for item, values in self._decided(list(lib.items(query)), force=force):
            if not self._set(item, values):
                continue
            ui.show_model_changes(item)
            if not options.pretend:
                item.store()
                if ui.should_write():
                    item.try_write()

    def _set(self, item: Item, values: Values) -> bool:
        """Set the fields of an item; whether any is new."""
        before = dict(item)
        for attribute, (_, field) in _TAGS.items():
            if field in values:
                item[attribute] = "; ".join(values[field])
        if "genre" in values:
            item[_GENRES] = list(values["genre"]) if _GENRES == "genres" else "; ".join(values["genre"])
        return dict(item) != before

    def _decided(self, items: Sequence[Item], *, force: bool) -> Iterator[tuple[Item, Values]]:
        """The items for which there is something to set, and what."""
        from geoclass.errors import GeoclassError
        from geoclass.evidence.registry import USUAL, Sources
        from geoclass.tagging.plan import iter_plan
        from geoclass.tagging.policy import Policy

        fields = tuple(self.config["fields"].as_str_seq())
        by_path = {Path(syspath(item.path)): item for item in items if force or self._lacks(item, fields)}
        confidence = self.config["min_confidence"].get()
        try:
            models = tuple(self.config["model"].as_str_seq())  # used alone, as with `geoclass tag`
            policy = Policy(
                fields=fields,
                evidence=None if models else USUAL,
                vote="none" if models else "artist",
                overwrite=frozenset(fields if force else ()),
                min_confidence=float(confidence) if confidence not in ("", None) else None,
            )
            sources = Sources.open(
                policy.evidence or (), learned=not models, note=lambda text: self._log.warning("{}", text)
            )
            classifier = _classifier(models, policy)
            for plan in iter_plan(classifier, paths=by_path, policy=policy, sources=sources):
                item = by_path[plan.path]
                if plan.status == "failed":
                    self._log.warning("{}: {}", plan.path, plan.reason)
                    continue
                values = {name: plan.before[name] for name in ("country",) if name in plan.before} | dict(plan.changes)
                if not force:  # what stands in the library is not asked for again, whatever the file says
                    values = {name: found for name, found in values.items() if name in _open_fields(item)}
                if values:
                    yield item, values
        except (GeoclassError, ValueError) as error:
            hint = getattr(error, "hint", None)
            raise ui.UserError(f"geoclass: {error}" + (f" ({hint})" if hint else "")) from error

    @staticmethod
    def _lacks(item: Item, fields: Sequence[str]) -> bool:
        return not set(fields).isdisjoint(_open_fields(item))


@cache
def _classifier(models: tuple[str, ...], policy: "Policy") -> "Classifier | None":
    """Loaded once, however many albums an import has."""
    from geoclass.tagging.models import load_classifier

    return load_classifier(models, policy, device="auto")


def _open_fields(item: Item) -> set[str]:
    """What may be set in an item without replacing anything."""
    open_fields = set()
    if not item.get("artist_country"):
        open_fields |= {"country", "country_candidates"}
    if not item.get(_GENRES):
        open_fields |= {"genre", "genre_candidates"}
    return open_fields | {"model", "evidence"} if open_fields else open_fields


def _media_field(tag: str) -> mediafile.MediaField:
    return mediafile.MediaField(
        mediafile.MP3DescStorageStyle(tag),
        mediafile.MP4StorageStyle(f"----:com.apple.iTunes:{tag}"),
        mediafile.StorageStyle(tag),
        mediafile.ASFStorageStyle(tag),
    )
