from collections.abc import Sequence
from pathlib import Path

import pytest
from corpus_trees import SPOTIFY, mirage_features, mirage_tree, write_csv

from geoclass.corpora.base import Skipped, Track
from geoclass.corpora.mirage import MIRAGE
from geoclass.errors import CorpusError, UsageError


def write_events(
    root: Path, *rows: Sequence[str], header: Sequence[str] = ("track_name", "artist_name", "country")
) -> Path:
    write_csv(root / "MIRAGE.csv", [header, *rows])
    mirage_features(root / "f.csv", [(row[0], row[1]) for row in rows])
    return root


def tracks(corpus: MIRAGE) -> list[Track]:
    return [item for item in corpus.tracks() if isinstance(item, Track)]


def test_a_track_counts_once_at_its_first_broadcast(tmp_path: Path) -> None:
    tree = mirage_tree(tmp_path)
    corpus = MIRAGE(tree.root, **tree.options)
    found = tracks(corpus)
    assert [(track.title, track.artist, track.country) for track in found] == [
        ("Sutera", "Aisha Retno", "ID"),
        ("Dudu", "Tarkan", "TR"),
    ]
    assert corpus.notes[-2:] == [
        "1 broadcasts repeat a track and are ignored, 1 of them from another country",
        "1 of 3 tracks have no row in features.csv, such as Kuzu Kuzu by Tarkan",
    ]


def test_what_cannot_be_used_is_skipped_each_with_its_reason(tmp_path: Path) -> None:
    tree = mirage_tree(tmp_path)
    reasons = [item.reason for item in MIRAGE(tree.root, **tree.options).tracks() if isinstance(item, Skipped)]
    assert reasons == [
        "broadcast without a track or an artist",
        "no row in features.csv",
        "unknown country: Atlantis",
    ]


def test_ids_do_not_depend_on_the_order_of_the_broadcasts(tmp_path: Path) -> None:
    rows = [("A", "x", "Peru"), ("B", "y", "Chile"), ("C", "z", "Italy")]
    one = MIRAGE(write_events(tmp_path / "one", *rows), features="f.csv")
    other = MIRAGE(write_events(tmp_path / "other", *reversed(rows)), features="f.csv")
    assert {track.title: track.track_id for track in tracks(one)} == {
        track.title: track.track_id for track in tracks(other)
    }


@pytest.mark.parametrize("track", ["track_name", "track_title", "track", "Track_Name"])
@pytest.mark.parametrize("artist", ["artist_name", "artist"])
@pytest.mark.parametrize("country", ["country", "country_name", "location_country"])
def test_all_spellings_of_the_columns(tmp_path: Path, track: str, artist: str, country: str) -> None:
    root = write_events(tmp_path, ("A", "x", "Peru"), ("B", "y", "Chile"), header=(track, artist, country))
    corpus = MIRAGE(root, features="f.csv")
    assert [(item.title, item.artist, item.country) for item in tracks(corpus)] == [("A", "x", "PE"), ("B", "y", "CL")]
    assert corpus.description.endswith("country of the station")


def test_the_artists_country_is_preferred_and_said(tmp_path: Path) -> None:
    header = ("track", "artist", "country", "artist_country")
    root = write_events(
        tmp_path, ("A", "x", "Peru", "Chile"), ("B", "y", "Peru", ""), ("C", "z", "Peru", "IT"), header=header
    )
    corpus = MIRAGE(root, features="f.csv")
    assert [track.country for track in tracks(corpus)] == ["CL", "IT"]
    assert corpus.country_of == "artist"
    assert corpus.description.endswith("country of the artist")
    assert [item.reason for item in corpus.tracks() if isinstance(item, Skipped)] == ["no country of the artist"]


def test_the_artists_country_is_enough(tmp_path: Path) -> None:
    root = write_events(tmp_path, ("A", "x", "Peru"), ("B", "y", "IT"), header=("track", "artist", "artist_country"))
    assert [track.country for track in tracks(MIRAGE(root, features="f.csv"))] == ["PE", "IT"]


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        (("title", "artist", "country"), "track (accepted: track_name, track_title, track)"),
        (("track", "band", "country"), "artist (accepted: artist_name, artist)"),
        (("track", "artist", "land"), "country (accepted: country, country_name, location_country)"),
    ],
)
def test_a_missing_column_is_named_with_what_is_accepted(tmp_path: Path, header: Sequence[str], missing: str) -> None:
    root = write_events(tmp_path, ("A", "x", "Peru"), ("B", "y", "Chile"), header=header)
    with pytest.raises(CorpusError) as caught:
        MIRAGE(root, features="f.csv")
    assert missing in caught.value.message


def test_the_separate_tables_are_joined(tmp_path: Path) -> None:
    write_csv(
        tmp_path / "events.csv",
        [["event_id", "track_id", "station_id"], [1, "t1", "s1"], [2, "t2", "s9"], [3, "t3", "s1"]],
    )
    write_csv(
        tmp_path / "tracks.csv",
        [["track_id", "track_title", "artist_id"], ["t1", "A", "a1"], ["t2", "B", "a1"], ["t3", "C", "a7"]],
    )
    write_csv(tmp_path / "artists.csv", [["artist_id", "artist_name"], ["a1", "x"]])
    write_csv(tmp_path / "stations.csv", [["station_id", "location_id"], ["s1", "l1"]])
    write_csv(tmp_path / "locations.csv", [["id", "country"], ["l1", "Peru"]])
    mirage_features(tmp_path / "f.csv", [("A", "x"), ("B", "x")])
    corpus = MIRAGE(tmp_path, features="f.csv")
    assert corpus.country_of == "station"
    found = list(corpus.tracks())
    assert [(item.title, item.artist, item.country) for item in found if isinstance(item, Track)] == [("A", "x", "PE")]
    assert [item.reason for item in found if isinstance(item, Skipped)] == [
        "no country of the station",
        "broadcast without a track or an artist",
    ]


def test_a_country_among_the_artists_is_the_artists(tmp_path: Path) -> None:
    write_csv(tmp_path / "events.csv", [["track", "artist_id", "country"], ["A", "a1", "Peru"], ["B", "a2", "Peru"]])
    write_csv(
        tmp_path / "artists.csv", [["artist_id", "artist_name", "country"], ["a1", "x", "Chile"], ["a2", "y", "Cuba"]]
    )
    mirage_features(tmp_path / "f.csv", [("A", "x"), ("B", "y")])
    corpus = MIRAGE(tmp_path, features="f.csv")
    assert corpus.country_of == "artist"
    assert [track.country for track in tracks(corpus)] == ["CL", "CU"]


def test_keys_that_do_not_join_are_counted_with_three_examples(tmp_path: Path) -> None:
    root = write_events(tmp_path, *((letter, "x", "Peru") for letter in "ABCDEF"))
    mirage_features(root / "f.csv", [("a", "X "), ("B", "x")])
    corpus = MIRAGE(root, features="f.csv")
    assert [track.title for track in tracks(corpus)] == ["A", "B"]
    assert corpus.notes == ["4 of 6 tracks have no row in f.csv, such as C by x; D by x; E by x"]


def test_a_table_that_joins_nowhere_is_one_error(tmp_path: Path) -> None:
    root = write_events(tmp_path, *((letter, "x", "Peru") for letter in "ABCDEF"))
    mirage_features(root / "f.csv", [("a", "other"), ("b", "other")])
    with pytest.raises(CorpusError, match=r"6 of 6 tracks .* A by x; B by x; C by x$") as caught:
        list(MIRAGE(root, features="f.csv").tracks())
    assert "rows are joined on track and artist" in str(caught.value.hint)


def test_features_that_are_not_numbers_are_skipped(tmp_path: Path) -> None:
    root = write_events(tmp_path, ("A", "x", "Peru"), ("B", "x", "Peru"), ("C", "x", "Peru"))
    text = (root / "f.csv").read_text().replace("C,x,1.0", "C,x,inf")
    (root / "f.csv").write_text(text)
    (item,) = (item for item in MIRAGE(root, features="f.csv").tracks() if isinstance(item, Skipped))
    assert item.reason == "danceability is not a finite number"


def test_a_feature_table_without_a_column_names_it(tmp_path: Path) -> None:
    root = write_events(tmp_path, ("A", "x", "Peru"), ("B", "x", "Peru"))
    (root / "f.csv").write_text((root / "f.csv").read_text().replace("valence", "mood"))
    with pytest.raises(CorpusError, match=r"f\.csv has no column for valence$"):
        MIRAGE(root, features="f.csv")


def test_a_constant_feature_is_left_out_and_named(tmp_path: Path) -> None:
    root = write_events(tmp_path, ("A", "x", "Peru"), ("B", "x", "Peru"))
    write_csv(root / "f.csv", [["track", "artist", *SPOTIFY], ["A", "x", *range(12), 4], ["B", "x", *range(1, 13), 4]])
    corpus = MIRAGE(root, features="f.csv")
    assert corpus.columns == tuple(SPOTIFY[:-1])
    list(corpus.tracks())
    assert "time_signature" in corpus.notes[0]


def test_no_known_country_at_all_is_one_error(tmp_path: Path) -> None:
    root = write_events(tmp_path, ("A", "x", "Atlantis"), ("B", "x", "Narnia"))
    with pytest.raises(CorpusError, match="Atlantis, Narnia"):
        list(MIRAGE(root, features="f.csv").tracks())


@pytest.mark.parametrize("options", [{}, {"features": "features.csv", "spotify": True}])
def test_features_come_from_one_place(tmp_path: Path, options: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="either from a table or from Spotify") as caught:
        MIRAGE(mirage_tree(tmp_path).root, **options)  # type: ignore[arg-type]
    assert "--features CSV" in str(caught.value.hint)


def test_neither_file_is_one_error(tmp_path: Path) -> None:
    write_csv(tmp_path / "other.csv", [["a"]])
    with pytest.raises(CorpusError, match=r"no MIRAGE\.csv or events\.csv"):
        MIRAGE(tmp_path, features="other.csv")
