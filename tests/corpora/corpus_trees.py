"""Tiny corpora on disk, quirks included: one builder a corpus, for the conformance suite and the tests of each."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FMA_COLUMNS = (
    ("album", "title"),
    ("artist", "bio"),
    ("artist", "id"),
    ("artist", "latitude"),
    ("artist", "location"),
    ("artist", "longitude"),
    ("artist", "name"),
    ("set", "split"),
    ("set", "subset"),
    ("track", "duration"),
    ("track", "genre_top"),
    ("track", "genres"),
    ("track", "genres_all"),
    ("track", "license"),
    ("track", "title"),
)
SPOTIFY = (
    *("danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness"),
    *("instrumentalness", "liveness", "valence", "tempo", "duration_ms", "time_signature"),
)
SOUND = b"bytes that a decoder would refuse, and a reader of metadata does not look at"


@dataclass(frozen=True)
class Tree:
    """A corpus, how to open it, and the ids of all that it lists."""

    root: Path
    options: dict[str, Any] = field(default_factory=dict)
    listed: frozenset[str] = frozenset()


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def write_sound(path: Path, content: bytes = SOUND) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def fma_row(track_id: int, **values: object) -> dict[str, object]:
    """A row of tracks.csv: fields by "artist_name" and so on, with defaults that make a usable track."""
    defaults: dict[str, object] = {
        "album_title": "Songs",
        "artist_bio": '<p>A "bio",\nwith a line break and, commas</p>',
        "artist_id": track_id // 10,
        "artist_latitude": 41.9,
        "artist_longitude": 12.5,
        "artist_location": "Rome, Italy",
        "artist_name": f"Artist {track_id // 10}",
        "set_split": "training",
        "set_subset": "small",
        "track_duration": 168,
        "track_genre_top": "Folk",
        "track_genres": "[103]",
        "track_genres_all": "[103]",
        "track_license": "CC BY",
        "track_title": f"Song {track_id}",
    }
    return {"track_id": track_id} | defaults | values


def write_fma(
    root: Path, rows: Sequence[dict[str, object]], *, audio: str = "fma_small", without: Sequence[str] = ()
) -> Path:
    """FMA's own layout: two header rows, a third that holds only "track_id"; sound for every row."""
    columns = [column for column in FMA_COLUMNS if "_".join(column) not in without]
    write_csv(
        root / "fma_metadata" / "tracks.csv",
        [
            ["", *(top for top, _ in columns)],
            ["", *(name for _, name in columns)],
            ["track_id", *("" for _ in columns)],
            *([row["track_id"], *(row["_".join(column)] for column in columns)] for row in rows),
        ],
    )
    write_csv(
        root / "fma_metadata" / "genres.csv",
        [
            ["genre_id", "#tracks", "parent", "title", "top_level"],
            [17, 12706, 0, "Folk", 17],
            [103, 601, 17, "Singer-Songwriter", 17],
            [2, 5271, 0, "International", 2],
            [79, 597, 2, "Reggae &amp; Dub", 2],
        ],
    )
    for row in rows:
        number = int(str(row["track_id"]))
        write_sound(root / audio / f"{number // 1000:03d}" / f"{number:06d}.mp3")
    return root


def fma_tree(root: Path) -> Tree:
    splits = ["training", "validation", "test"]
    rows = [fma_row(number, set_split=splits[number % 3]) for number in (2, 3, 5, 10, 140, 1482)]
    write_fma(root, [*rows, fma_row(150), fma_row(155)])
    (root / "fma_small/000/000150.mp3").unlink()
    (root / "fma_small/000/000155.mp3").write_bytes(b"")
    return Tree(root, {"subset": "small"}, frozenset(["2", "3", "5", "10", "140", "150", "155", "1482"]))


def folder_tree(root: Path) -> Tree:
    paths = ["Turkey/a.mp3", "Turkey/Artist/b.mp3", "VN/Artist/Album/c.flac", "Atlantis/d.ogg", "VN/empty.wav"]
    for path in paths:
        write_sound(root / path, b"" if "empty" in path else SOUND)
    write_sound(root / "VN/cover.jpg")
    write_sound(root / "VN/._c.flac")
    write_sound(root / "stray.mp3")
    return Tree(root, {}, frozenset([*paths, "stray.mp3"]))


def gtzan_tree(root: Path) -> Tree:
    """Real names, so that the lists of the fault-filtered split hold: train, valid, test and left out."""
    clips = ["blues.00029", "blues.00000", "blues.00012", "jazz.00033", "rock.00010"]
    for clip in clips:
        write_sound(root / "genres_original" / clip.split(".")[0] / f"{clip}.wav")
    write_sound(root / "genres_original/rock/notes.wav")
    return Tree(root, {}, frozenset([*clips, "notes"]))


def mirage_features(path: Path, pairs: Iterable[tuple[str, str]]) -> Path:
    rows = [
        [title, artist, *(number * 0.5 + place for place in range(13))] for number, (title, artist) in enumerate(pairs)
    ]
    return write_csv(path, [["track_name", "artist_name", *SPOTIFY], *rows])


def mirage_tree(root: Path) -> Tree:
    events = [
        ("Sutera", "Aisha Retno", "Indonesia"),
        ("SUTERA ", "aisha retno", "Malaysia"),
        ("Dudu", "Tarkan", "Turkey"),
        ("", "Tarkan", "Turkey"),
        ("Kuzu Kuzu", "Tarkan", "Turkey"),
        ("Song", "Nobody", "Atlantis"),
    ]
    header = ["track_name", "artist_name", "country", "region", "continent", "station_id", "event_time"]
    write_csv(root / "MIRAGE.csv", [header, *([*event, "", "", 7, "2022-10-01"] for event in events)])
    mirage_features(root / "features.csv", [("sutera", "Aisha Retno"), ("Dudu", "Tarkan")])
    return Tree(root, {"features": "features.csv"})


def uci_tree(root: Path, *, n_features: int = 68) -> Tree:
    capitals = [(-15.75, -47.95), (41.9, 12.48), (35.7, 51.4), (39.9, 32.9)]
    rows = [[(row + 1) * (column + 1) / 7 for column in range(n_features)] for row in range(len(capitals))]
    rows[2][5] = float("nan")
    name = {68: "default_features_1059_tracks.txt", 116: "default_plus_chromatic_features_1059_tracks.txt"}[n_features]
    write_csv(root / name, [[*row, *capital] for row, capital in zip(rows, capitals, strict=True)])
    return Tree(root, {}, frozenset(f"uci-{number:04d}" for number in range(1, 5)))


TREES: dict[str, Callable[[Path], Tree]] = {
    "fma": fma_tree,
    "folder": folder_tree,
    "gtzan": gtzan_tree,
    "mirage": mirage_tree,
    "uci": uci_tree,
}
