"""Votes: which files belong together, and which country they are given."""

from collections import Counter
from collections.abc import Mapping

import pytest
from tag_entries import entry, heard, opinion

from geoclass.evidence.opinion import Opinion
from geoclass.inference.prediction import Failure, Prediction
from geoclass.tagging.entries import Entry
from geoclass.tagging.tags import Tags
from geoclass.tagging.vote import group_key, group_sizes, vote

MODEL = "fake 1 0123abcd"
NOTED = {"country_candidates": ("US 0.80; TR 0.10",), "model": (MODEL,)}


def tags(**values: str) -> Tags:
    return Tags(kind="mp3", values={name: (value,) for name, value in values.items()})


# ---- which files belong together --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"artist": "Selda"}, {"artist": " SELDA "}),
        ({"artist": "Beyoncé"}, {"artist": "Beyonce"}),
        ({"artist": "Selda"}, {"artist": "Selda feat. Jessi"}),
        ({"artist": "Selda"}, {"album_artist": "Selda"}),
        ({"artist": "Selda", "album": "x"}, {"artist": "Selda", "album": "y"}),
        ({"artist": "Selda", "album_artist": "Other"}, {"artist": "Selda"}),
        ({"artist": "Various Artists", "album_artist": "Selda"}, {"artist": "Selda"}),
    ],
)
def test_files_of_one_artist(one: dict[str, str], other: dict[str, str]) -> None:
    assert group_key(tags(**one), by="artist") == group_key(tags(**other), by="artist") != ()


@pytest.mark.parametrize("values", [{}, {"artist": "Various Artists"}, {"artist": "Unknown Artist"}, {"album": "x"}])
def test_files_of_nobody(values: dict[str, str]) -> None:
    assert group_key(tags(**values), by="artist") == ()


def test_two_artists_are_two() -> None:
    assert group_key(tags(artist="Selda"), by="artist") != group_key(tags(artist="Barış"), by="artist")


def test_an_album_is_its_name_and_its_artist() -> None:
    hits = group_key(tags(album="Greatest Hits", artist="Selda"), by="album")
    assert hits == group_key(tags(album="GREATEST HITS", artist="Selda feat. Jessi"), by="album") != ()
    assert hits == group_key(tags(album="Greatest Hits", album_artist="Selda", artist="Guest"), by="album")
    assert hits != group_key(tags(album="Greatest Hits", artist="Barış"), by="album")
    assert hits != group_key(tags(album="Others", artist="Selda"), by="album")
    assert group_key(tags(artist="Selda"), by="album") == ()
    assert group_key(tags(album="Greatest Hits", artist="Various Artists"), by="album") == group_key(
        tags(album="Greatest Hits"), by="album"
    )


def test_groups_are_counted_from_the_files_tags(make) -> None:
    import mutagen.id3

    paths = [make(f"{name}.mp3") for name in "abcd"]
    for path, artist, album in zip(paths, ("X", "x", "Y"), "pqq", strict=False):
        written = mutagen.id3.ID3()
        written.add(mutagen.id3.TPE1(encoding=3, text=[artist]))
        written.add(mutagen.id3.TALB(encoding=3, text=[album]))
        written.save(path)
    assert sorted(group_sizes(paths, by="artist").values()) == [1, 1, 2]
    assert sorted(group_sizes(paths, by="album").values()) == [1, 1, 1, 1]
    assert group_sizes(paths, by="artist")[()] == 1


# ---- a model alone ----------------------------------------------------------------------------------------------


def song(said: Mapping[str, float] | None = None, *, artist: str = "Selda", **values: str) -> Entry:
    given = {"artist": (artist,)} | {name: (value,) for name, value in values.items()}
    return entry(given, prediction=heard(country=said) if said is not None else None)


def voted(*members: Entry, by: str = "artist", pools: bool = False) -> list[Entry]:
    sizes = Counter(group_key(member.tags, by=by) for member in members)
    options = {"pools": True} if pools else {}
    found = list(vote(iter(members), by=by, sizes=sizes, model_id=MODEL, **options))
    assert sorted(map(id, found)) == sorted(map(id, members)), "every file is given out once"
    return found


def country(of: Entry) -> dict[str, float]:
    assert isinstance(of.prediction, Prediction)
    return {label: round(probability, 6) for label, probability in of.prediction.fields["country"].candidates}


def test_what_a_model_says_of_the_files_is_averaged() -> None:
    files = voted(song({"TR": 0.75, "IR": 0.25}), song({"TR": 0.25, "IR": 0.5, "GR": 0.25}))
    assert country(files[0]) == {"TR": 0.5, "IR": 0.375}
    assert country(files[1]) == {"TR": 0.5, "IR": 0.375, "GR": 0.125}, "a file keeps the labels of its own answer"


def test_who_would_be_told_otherwise_alone_is_said() -> None:
    agreeing, other = song({"TR": 0.875, "IR": 0.125}), song({"TR": 0.375, "IR": 0.625})
    voted(agreeing, other)
    assert agreeing.dissent == ""
    assert other.dissent == "IR 0.62 on its own, TR 0.62 in the vote"


def test_other_fields_of_an_answer_stay() -> None:
    member = entry({"artist": ("Selda",)}, prediction=heard(country={"TR": 0.75}, genre={"Folk": 0.5}, note="quiet"))
    (found,) = voted(member)
    assert isinstance(found.prediction, Prediction)
    assert found.prediction.fields["genre"].candidates == (("Folk", 0.5),)
    assert found.prediction.note == "quiet"
    assert found.prediction.fields["country"].threshold == 0.5


def test_a_file_of_nobody_is_told_what_it_is_told_alone() -> None:
    files = voted(song({"TR": 0.75}, artist="Various Artists"), song({"IR": 0.75}, artist="Various Artists"))
    assert [country(file) for file in files] == [{"TR": 0.75}, {"IR": 0.75}]


def test_files_of_another_album_do_not_vote() -> None:
    files = voted(song({"TR": 0.75}, album="x"), song({"TR": 0.25}, album="y"), by="album")
    assert [country(file) for file in files] == [{"TR": 0.75}, {"TR": 0.25}]


def test_what_people_agree_on_is_the_country() -> None:
    """Also of a country that the model has no word for; a name will do."""
    files = voted(song({"TR": 0.75}), song(country="Iceland"), song({"GR": 0.9}, country="IS"))
    assert country(files[0]) == {"IS": 1.0, "TR": 0.0}
    assert files[0].dissent == "TR 0.75 on its own, IS 1.00 in the vote"


def test_people_who_disagree_weigh_as_much_as_all_that_the_model_says() -> None:
    files = voted(song({"TR": 0.75, "IR": 0.25}), song({"TR": 0.5, "IR": 0.5}), song(country="GR"), song(country="TR"))
    # The model: TR 0.625, IR 0.375. People: GR 0.5, TR 0.5.
    assert country(files[0]) == {"TR": 0.5625, "GR": 0.25, "IR": 0.1875}


def test_what_is_no_country_is_no_vote() -> None:
    files = voted(song({"TR": 0.75}), song(country="somewhere"), song({"TR": 0.25}))
    assert country(files[0]) == {"TR": 0.5}


def test_what_this_model_noted_earlier_is_its_opinion_and_no_persons() -> None:
    noted = entry({"artist": ("Selda",), "country": ("US",), **NOTED})
    files = voted(song({"TR": 0.5, "US": 0.5}), noted)
    assert country(files[0]) == {"US": 0.65, "TR": 0.3}
    others = entry({"artist": ("Selda",), "country": ("US",), **NOTED, "model": ("other 2 89abcdef",)})
    assert country(voted(song({"TR": 0.5, "US": 0.25}), others)[0]) == {"TR": 0.5, "US": 0.25}


def test_without_an_answer_nothing_is_decided() -> None:
    failed = entry({"artist": ("Selda",)}, prediction=Failure(path=entry().path, reason="noise"))
    files = voted(failed, entry({"artist": ("Selda",), "country": ("TR",)}))
    assert {file.prediction is None or isinstance(file.prediction, Failure) for file in files} == {True}


# ---- witnesses together -----------------------------------------------------------------------------------------


def told(*opinions: Opinion, artist: str = "Selda", **values: tuple[str, ...]) -> Entry:
    return entry({"artist": (artist,), **values}, opinions=list(opinions))


def test_an_artist_has_one_verdict() -> None:
    files = voted(told(opinion("language", "TR")), told(), told(opinion("codes", "TR", clue="code")), pools=True)
    assert len({id(file.verdict) for file in files}) == 1
    assert files[1].verdict is not None
    assert files[1].verdict.candidates(1)[0][0] == "TR"
    assert {of.witness for of in files[1].verdict.opinions} == {"language", "codes"}


def test_nobody_spoke_of_any_file() -> None:
    assert [file.verdict for file in voted(told(), told(), pools=True)] == [None, None]


def test_a_strong_opinion_on_another_country_dissents_and_a_weak_one_does_not() -> None:
    strong, weak, silent = (
        told(opinion("language", "KR", strength=9)),
        told(opinion("language", "KR", strength=1)),
        told(),
    )
    turkish = [told(opinion("codes", "TR", strength=20, clue="code")) for _ in range(3)]
    voted(strong, weak, silent, *turkish, pools=True)
    assert strong.dissent.startswith("KR 0.")
    assert " on its own, TR " in strong.dissent
    assert strong.dissent.endswith(" in the vote")
    assert [member.dissent for member in (weak, silent, *turkish)] == [""] * 5


def test_two_files_can_disagree_and_one_cannot() -> None:
    pair = voted(
        told(opinion("language", "KR", strength=9)), told(opinion("codes", "TR", strength=20, clue="code")), pools=True
    )
    assert [bool(file.dissent) for file in pair] == [True, False]
    (alone,) = voted(told(opinion("language", "KR")), pools=True)
    assert alone.dissent == ""


def test_what_the_owner_wrote_speaks_for_the_others_but_not_for_itself() -> None:
    owned, other = told(country=("IS",)), told()
    voted(owned, other, pools=True)
    assert other.verdict is not None
    assert other.verdict.candidates(1)[0][0] == "IS"
    assert [of.witness for of in other.verdict.opinions] == ["tags"]
    (alone,) = voted(told(country=("IS",)), pools=True)
    assert alone.verdict is None


def test_a_file_that_an_owner_wrote_in_says_nothing_beside() -> None:
    owned, other = told(opinion("language", "TR", strength=9), country=("IS",)), told()
    voted(owned, other, pools=True)
    assert other.verdict is not None
    assert [of.witness for of in other.verdict.opinions] == ["tags"]


def test_what_an_earlier_run_wrote_is_nobodys_word() -> None:
    """Or a wrong country, once written, would vouch for itself in the artist's new files."""
    ours = told(country=("IS",), country_candidates=("IS 0.93; NO 0.02",))
    new = told(opinion("language", "TR", strength=9))
    voted(ours, new, pools=True)
    assert new.verdict is not None
    assert new.verdict.candidates(1)[0][0] == "TR"
    assert [of.witness for of in new.verdict.opinions] == ["language"]


def test_files_that_come_after_the_artist_was_decided_get_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geoclass.tagging.groups.by_group.__kwdefaults__", {"max_waiting": 1})
    first, second, late = told(opinion("language", "TR")), told(), told(opinion("language", "KR", strength=20))
    voted(first, second, late, pools=True)
    assert late.verdict is first.verdict is second.verdict
    assert first.verdict is not None
    assert first.verdict.candidates(1)[0][0] == "TR", "what came late was not asked"
