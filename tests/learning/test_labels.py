"""What a library teaches: people's labels, cleaned, with enough files and artists."""

from pathlib import Path

from geoclass.learning.labels import artists_of, read_labels
from geoclass.library.song import Song
from geoclass.tagging.corrections import Corrections
from geoclass.tagging.tags import Tags


def songs(*rows: tuple[str, str, tuple[str, ...]], copies: int = 1) -> list[Song]:
    """(artist, country, genres) as songs."""
    return [
        Song(path=f"/music/{number}-{copy}.mp3", artist=artist, country=country, genres=genres)
        for number, (artist, country, genres) in enumerate(rows)
        for copy in range(copies)
    ]


def names(found: list[Song]) -> list[str]:
    return artists_of(found, [Path("/music")])


def test_a_label_needs_five_files_by_three_artists() -> None:
    enough = [(f"a{index % 3}", "TR", ()) for index in range(5)]
    files_too_few = [(f"b{index}", "GR", ()) for index in range(4)]
    artists_too_few = [(f"c{index % 2}", "IR", ()) for index in range(9)]
    found = songs(*enough, *files_too_few, *artists_too_few)
    labels = read_labels("country", found, names(found))
    assert labels.names == ("TR",)
    assert sorted(labels.of_file) == [0, 1, 2, 3, 4]
    assert labels.others == frozenset(range(5, 18))
    assert [(left.label, left.reason) for left in labels.left_out] == [
        ("IR", "2 of 3 artists"),
        ("GR", "4 of 5 files"),
    ]


def test_what_geoclass_wrote_teaches_nothing() -> None:
    found = songs(*[(f"a{index}", "TR", ("Folk",)) for index in range(6)])
    ours = [
        Song(path=song.path, artist=song.artist, country="TR", country_sure=0.97, genres=("Folk",), genre_sure=0.9)
        for song in found
    ]
    assert read_labels("country", ours, names(ours)).names == ()
    assert read_labels("genre", ours, names(ours)).names == ()
    assert read_labels("genre", found, names(found)).names == ("Folk",)


def test_spellings_of_a_genre_are_one_and_the_commonest_names_it() -> None:
    spellings = ("Hip-Hop", "hip hop", "HipHop", "Hip-Hop", "HIP HOP", "Hip-Hop")
    found = songs(*[(f"a{index}", "", (genre,)) for index, genre in enumerate(spellings)])
    labels = read_labels("genre", found, names(found))
    assert labels.names == ("Hip-Hop",)
    assert len(labels.of_file) == 6


def test_several_genres_are_several_labels_and_no_genre_is_none() -> None:
    rows = [(f"a{index}", "", ("Rock; Blues", "Unknown")) for index in range(5)]
    rows += [(f"b{index}", "", ("Rock/Pop",)) for index in range(5)]
    found = songs(*rows)
    labels = read_labels("genre", found, names(found))
    assert labels.kind == "multi"
    assert labels.names == ("Blues", "Pop", "Rock")
    assert labels.of_file[0] == ("Rock", "Blues")
    assert labels.of_file[5] == ("Rock", "Pop")
    single = songs(*[(f"a{index}", "", ("Jazz",)) for index in range(5)])
    assert read_labels("genre", single, names(single)).kind == "single"


def test_corrections_win_over_tags_and_stand_for_the_artist() -> None:
    found = songs(*[(f"a{index % 3}", "TR", ()) for index in range(9)])
    corrections = Corrections()
    corrections.add("country", Path(found[0].path), Tags(kind="", values={"artist": ("a0",)}), ("GR",))
    labels = read_labels("country", found, names(found), corrections=corrections)
    assert labels.names == ("TR",) or labels.names == ()
    assert {left.label: left.files for left in labels.left_out}["GR"] == 3


def test_weak_labels_teach_beside_people_and_never_make_a_label() -> None:
    rows = [(f"a{index % 3}", "TR", ()) for index in range(5)] + [(f"b{index}", "", ()) for index in range(7)]
    found = songs(*rows)
    weak = {index: ("TR",) if index < 8 else ("GR",) for index in range(5, 12)}
    labels = read_labels("country", found, names(found), weak=weak)
    assert labels.names == ("TR",)
    assert labels.weak == {5, 6, 7}
    assert labels.labelled == 5


def test_however_many_weak_labels_make_none_that_nobody_wrote() -> None:
    found = songs(*[(f"a{index % 3}", "TR", ()) for index in range(6)], *[(f"b{index}", "", ()) for index in range(9)])
    labels = read_labels("country", found, names(found), weak=dict.fromkeys(range(6, 15), ("GR",)))
    assert (labels.names, labels.left_out, labels.weak) == (("TR",), (), frozenset())


def test_weak_labels_help_a_label_that_people_began() -> None:
    """Three files by three artists are too few; with what witnesses are sure of, there are enough."""
    found = songs(*[(f"a{index}", "TR" if index < 3 else "", ()) for index in range(6)])
    weak = dict.fromkeys(range(6), ("TR",))
    labels = read_labels("country", found, names(found), weak=weak)
    assert labels.names == ("TR",)
    assert labels.weak == {3, 4, 5}, "where people spoke, witnesses are not asked"
    assert labels.labelled == 3
    assert read_labels("country", found, names(found)).names == ()


def test_a_person_wins_over_a_witness() -> None:
    found = songs(*[(f"a{index}", "TR", ()) for index in range(5)], *[(f"b{index}", "GR", ()) for index in range(5)])
    labels = read_labels("country", found, names(found), weak={0: ("GR",), 5: ("TR",)})
    assert (labels.of_file[0], labels.of_file[5], labels.weak) == (("TR",), ("GR",), frozenset())


def test_songs_that_cannot_be_read_have_no_label() -> None:
    found = [
        Song(path=f"/music/{n}.mp3", artist=f"a{n}", country="TR", error="damaged" if n == 0 else "") for n in range(6)
    ]
    labels = read_labels("country", found, names(found))
    assert sorted(labels.of_file) == [1, 2, 3, 4, 5]
    assert (labels.labelled, labels.others) == (5, frozenset())


def test_labels_left_out_come_with_most_files_first_and_say_what_is_missing() -> None:
    rows = [("x", "GR", ())] * 6 + [("y", "IR", ())] * 2 + [("z", "AM", ())] * 2
    found = songs(*rows)
    left = read_labels("country", found, names(found)).left_out
    assert [(of.label, of.files, of.artists) for of in left] == [("GR", 6, 1), ("AM", 2, 1), ("IR", 2, 1)]
    assert [of.reason for of in left] == ["1 of 3 artists", *["2 of 5 files, 1 of 3 artists"] * 2]


def test_several_labels_of_which_one_can_be_learned_are_one() -> None:
    """A genre that stands on too few files does not make every song one of several genres."""
    rows = [(f"a{index}", "", ("Jazz", "Polka") if index == 0 else ("Jazz",)) for index in range(6)]
    found = songs(*rows)
    labels = read_labels("genre", found, names(found))
    assert (labels.kind, labels.names) == ("single", ("Jazz",))
    weak = songs(*[(f"a{index}", "", ("Jazz",) if index % 2 else ("Polka",)) for index in range(12)], ("b", "", ()))
    weakly = read_labels("genre", weak, names(weak), weak={12: ("Jazz", "Polka")})
    assert weakly.kind == "single", "witnesses do not make it either"
    assert weakly.of_file[12] == ("Jazz", "Polka")


def test_artists_come_from_tags_then_folders_then_nowhere() -> None:
    found = [
        Song(path="/music/x/1.mp3", artist="Simon feat. Garfunkel"),
        Song(path="/music/y/2.mp3", artist="SIMON"),
        Song(path="/music/z/3.mp3", artist="Various Artists", album_artist="Various Artists"),
        Song(path="/music/z/4.mp3"),
        Song(path="/music/5.mp3"),
        Song(path="/music/6.mp3"),
        Song(path="/music/w/7.mp3"),
        Song(path="/7.mp3"),
    ]
    artists = names(found)
    assert artists[0] == artists[1]
    assert artists[2] == artists[3]
    assert len(set(artists)) == 6
