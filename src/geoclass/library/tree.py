"""Songs by country, artist and album, as the page of a collection carries them: compact, with links to the files."""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from geoclass.library.song import Song
from geoclass.text import name_key, printable

Rows = list[list[Any]]  # what JSON can hold


def song_tree(songs: Iterable[Song], *, page_folder: Path) -> dict[str, Any]:
    """The songs of a page.

    Args:
        songs: Those that could not be read are left out.
        page_folder: Absolute; files below it are linked relative to it, so that both can be moved together.

    Returns:
        "folders": links to folders, each ending in "/"; "countries": by code ("" for songs without a country) the
        artists with most songs first, as [name, albums]; albums by year, as [name, year or 0, songs]; songs as [title
        or 0 for the file's name, index of the folder, name of the file, probability or 0], and fifth the link from
        the folder if it is not the name (bytes that are not UTF-8).
    """
    folders: dict[str, int] = {}
    links: list[str] = []
    artists: dict[str, dict[str, list[Song]]] = defaultdict(lambda: defaultdict(list))
    for song in songs:
        if not song.error:
            artists[song.country][name_key(song.filed_under)].append(song)

    def row(song: Song) -> list[Any]:
        folder, name = os.path.split(os.path.abspath(song.path))
        if folder not in folders:
            folders[folder] = len(links)
            links.append(_link(folder, page_folder))
        shown = printable(name)
        title = 0 if song.title in ("", shown) else song.title
        fields = [title, folders[folder], shown, song.country_sure or 0]
        return fields if shown == name else [*fields, quote(os.fsencode(name))]

    def albums(found: list[Song]) -> Rows:
        by_name: dict[str, list[Song]] = defaultdict(list)
        for song in found:
            by_name[song.album].append(song)
        rows = [
            [name, min((song.year for song in group if song.year), default=0), [row(song) for song in group]]
            for name, group in by_name.items()
        ]
        return sorted(rows, key=lambda entry: (entry[1] or 9999, entry[0].casefold()))

    def of_country(by_artist: dict[str, list[Song]]) -> Rows:
        most = sorted(by_artist.items(), key=lambda entry: (-len(entry[1]), entry[0]))
        return [[group[0].filed_under, albums(group)] for _, group in most]

    countries = {code: of_country(by_artist) for code, by_artist in sorted(artists.items())}
    return {"folders": links, "countries": countries}


def _link(folder: str, page_folder: Path) -> str:
    """A link to a folder, with "/" at its end: relative below the page's folder, else absolute."""
    inside = os.path.relpath(folder, page_folder) if folder.startswith(os.path.join(page_folder, "")) else None
    if folder == str(page_folder):
        return "./"
    if inside is not None:
        return "./" + quote(os.fsencode(inside).replace(os.sep.encode(), b"/")) + "/"
    return Path(folder).as_uri() + "/"
