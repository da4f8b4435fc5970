"""What is written and what is not: evidence, doubt, votes and corrections."""

from pathlib import Path

import mutagen.id3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tagging_helpers import FakeClassifier, answer

from geoclass.errors import UsageError
from geoclass.inference.prediction import Failure
from geoclass.tagging.apply import apply_plan
from geoclass.tagging.corrections import Corrections
from geoclass.tagging.entries import genre_name, parse_provenance, provenance
from geoclass.tagging.plan import plan_tags
from geoclass.tagging.policy import Policy
from geoclass.tagging.tags import read_tags


def write(path: Path, **texts: str) -> Path:
    """Put tags into an MP3 as another program would: country="GR", artist="X", …"""
    tags = mutagen.id3.ID3()
    names = {"artist": mutagen.id3.TPE1, "album": mutagen.id3.TALB, "genre": mutagen.id3.TCON}
    for name, text in texts.items():
        if name == "country":
            tags.add(mutagen.id3.TXXX(encoding=3, desc="ARTISTCOUNTRY", text=[text]))
        elif name == "release_country":
            tags.add(mutagen.id3.TXXX(encoding=3, desc="RELEASECOUNTRY", text=[text]))
        else:
            tags.add(names[name](encoding=3, text=[text]))
    tags.save(path, v2_version=4)
    return path


def plan(paths: list[Path], classifier: FakeClassifier | None = None, **policy):
    return list(plan_tags(classifier or FakeClassifier(), paths=paths, policy=Policy(**policy)))


def test_planning_writes_nothing(make) -> None:
    path = make("a.mp3")
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    (file,) = plan([path])
    assert file.status == "planned"
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_plan_read_twice_asks_once(make) -> None:
    classifier = FakeClassifier()
    files = plan_tags(classifier, paths=[make("a.mp3")])
    assert list(files) == list(files)
    assert len(classifier.asked) == 1


def test_what_a_person_wrote_is_kept(make) -> None:
    path = write(make("a.mp3"), country="GR")
    (file,) = plan([path])
    assert (file.status, file.fields["country"].value) == ("planned", ("GR",))
    assert set(file.changes) == {"genre", "genre_candidates", "model"}
    (file,) = plan([path], overwrite=frozenset({"country"}))
    assert file.changes["country"] == ("TR",)


def test_a_file_with_nothing_open_is_not_heard(make) -> None:
    classifier = FakeClassifier()
    (file,) = plan([write(make("a.mp3"), country="GR", genre="Folk")], classifier)
    assert (file.status, classifier.asked) == ("unchanged", [])


def test_doubt_writes_nothing(make) -> None:
    path = make("a.mp3")
    classifier = FakeClassifier({"a.mp3": answer(path, country={"TR": 0.4, "IR": 0.3}, genre={"Folk": 0.2})})
    (file,) = plan([path], classifier)
    assert (file.status, dict(file.changes)) == ("abstained", {})
    assert file.fields["country"].value == ()
    assert [label for label, _ in file.fields["country"].candidates] == ["TR", "IR"]
    (file,) = plan([path], classifier, candidates=True)
    assert file.changes["country_candidates"] == ("TR 0.40; IR 0.30",)
    assert "country" not in file.changes
    (file,) = plan([path], classifier, min_confidence=0.35)
    assert file.changes["country"] == ("TR",)
    assert "genre" not in file.changes


def test_doubt_never_wipes_what_is_there(make, tmp_path: Path) -> None:
    path = write(make("a.mp3"), country="GR", genre="Türkü")
    classifier = FakeClassifier({"a.mp3": answer(path, country={"TR": 0.1}, genre={"Folk": 0.1})})
    policy = Policy(overwrite=frozenset({"country", "genre"}))
    (file,) = apply_plan(plan_tags(classifier, paths=[path], policy=policy), journal=tmp_path / "journal")
    assert file.status == "unchanged"
    assert read_tags(path).values == {"country": ("GR",), "genre": ("Türkü",)}


def test_a_region_where_no_country_is_sure(make) -> None:
    path = make("a.mp3")
    said = {"a.mp3": answer(path, country={"SE": 0.4, "NO": 0.3, "TR": 0.3})}
    (file,) = plan([path], FakeClassifier(said), region_fallback=True)
    assert file.changes == {"region": ("Northern Europe",), "model": ("fake 1 0123abcd",)}
    (file,) = plan([path], FakeClassifier(said))
    assert file.changes == {}
    said = {"a.mp3": answer(path, country={"SE": 0.4, "TR": 0.3, "US": 0.3})}
    (file,) = plan([path], FakeClassifier(said), region_fallback=True)
    assert file.changes == {}


def test_a_region_is_decided_once(make, tmp_path: Path) -> None:
    path = make("a.mp3")
    said = {"a.mp3": answer(path, country={"SE": 0.4, "NO": 0.3, "TR": 0.3})}
    apply_plan(plan([path], FakeClassifier(said), region_fallback=True), journal=tmp_path / "journal")
    again = FakeClassifier(said)
    assert plan([path], again, region_fallback=True)[0].status == "abstained"
    assert again.asked == []


def test_fields_that_do_not_exist() -> None:
    with pytest.raises(UsageError, match="mood"):
        Policy(fields=("mood",))


def test_the_release_country_only_on_request_and_only_where_there_is_none(make) -> None:
    path = make("a.mp3")
    assert "release_country" not in plan([path])[0].changes
    assert plan([path], release_country=True)[0].changes["release_country"] == ("TR",)
    write(path, release_country="DE")
    assert "release_country" not in plan([path], release_country=True)[0].changes


def test_one_field(make, tmp_path: Path) -> None:
    path = make("a.mp3")
    apply_plan(plan([path], fields=("genre",)), journal=tmp_path / "journal")
    assert set(read_tags(path).values) == {"genre", "genre_candidates", "model"}


def test_a_model_of_one_field_leaves_the_other_out(make) -> None:
    path = write(make("a.mp3"), country="GR")
    classifier = FakeClassifier()
    classifier.tasks = ("country",)
    (file,) = plan([path], classifier)
    assert (file.status, set(file.fields), classifier.asked) == ("unchanged", {"country"}, [])
    with pytest.raises(UsageError, match="predicts country, not genre"):
        plan([path], classifier, fields=("genre",))


def test_notes_and_failures_are_left_alone(make) -> None:
    silent, broken = make("silent.mp3"), make("broken.mp3")
    said = {"silent.mp3": answer(silent, note="silence"), "broken.mp3": Failure(path=broken, reason="not decodable")}
    files = plan([silent, broken], FakeClassifier(said))
    assert [(file.status, file.reason) for file in files] == [("abstained", "silence"), ("failed", "not decodable")]


def test_a_model_that_stops_answering_leaves_the_rest_failed(make) -> None:
    class Short(FakeClassifier):
        def predict_many(self, paths):
            yield from list(super().predict_many(paths))[:1]

    assert [file.status for file in plan([make("a.mp3"), make("b.mp3")], Short())] == ["planned", "failed"]


def test_files_come_in_order_whoever_needs_the_model(make) -> None:
    paths = [make(f"{name}.mp3") for name in "abcdef"]
    for path in paths[1::2]:
        write(path, country="GR", genre="Folk")
    paths.insert(3, paths[0].parent / "missing.mp3")
    files = plan(paths)
    assert [file.path for file in files] == paths
    assert " ".join(file.status for file in files) == "planned unchanged planned failed unchanged planned unchanged"


def test_another_model_does_not_replace_the_first_ones_answer(make, tmp_path: Path) -> None:
    path = make("a.mp3")
    apply_plan(plan([path]), journal=tmp_path / "journal")
    other = FakeClassifier(country="GR")
    other.model_id = "other 2 89abcdef"
    (file,) = plan([path], other)
    assert (file.status, other.asked) == ("unchanged", [])
    (file,) = plan([path], other, overwrite=frozenset({"country"}))
    assert file.changes["country"] == ("GR",)


def test_again_asks_again(make, tmp_path: Path) -> None:
    path = make("a.mp3")
    doubtful = {"a.mp3": answer(path, country={"TR": 0.4}, genre={"Folk": 0.9})}
    apply_plan(plan([path], FakeClassifier(doubtful)), journal=tmp_path / "journal")
    classifier = FakeClassifier(doubtful)
    assert plan([path], classifier)[0].status == "abstained"
    assert classifier.asked == []
    (file,) = plan([path], classifier, again=True, min_confidence=0.3)
    assert file.changes["country"] == ("TR",)


# ---- votes ------------------------------------------------------------------------------------------------------


def choir(make) -> tuple[list[Path], FakeClassifier]:
    """Three files of one artist, of which the model hears one differently, and one of another artist."""
    paths = [write(make(f"{name}.mp3"), artist="Selda" if name != "d" else "Other") for name in "abcd"]
    said = {
        "a.mp3": answer(paths[0], country={"TR": 0.8, "IR": 0.2}),
        "b.mp3": answer(paths[1], country={"TR": 0.45, "IR": 0.55}),
        "c.mp3": answer(paths[2], country={"TR": 0.7, "IR": 0.3}),
        "d.mp3": answer(paths[3], country={"TR": 0.1, "IR": 0.9}),
    }
    return paths, FakeClassifier(said)


def test_a_vote_makes_one_country_an_artist(make) -> None:
    paths, classifier = choir(make)
    files = plan(paths, classifier, vote="artist")
    assert [file.changes["country"] for file in files] == [("TR",), ("TR",), ("TR",), ("IR",)]
    assert files[0].changes["country_candidates"] == ("TR 0.65; IR 0.35",)
    assert [bool(file.dissent) for file in files] == [False, True, False, False]
    assert files[1].dissent == "IR 0.55 on its own, TR 0.65 in the vote"


def test_what_a_person_left_decides_the_vote(make) -> None:
    paths, classifier = choir(make)
    write(paths[1], artist="SELDA ", country="DE")
    files = plan(paths, classifier, vote="artist")
    assert files[0].changes["country"] == files[2].changes["country"] == ("DE",)
    assert "country" not in files[1].changes
    write(paths[2], artist="Selda", country="TR")
    files = plan(paths, classifier, vote="artist")  # people disagree: DE 0.25, TR 0.25 + 0.4
    assert files[0].changes["country"] == ("TR",)


@pytest.mark.parametrize(("text", "country"), [("Germany", "DE"), ("de", "DE"), ("somewhere", "TR")])
def test_a_person_may_have_written_a_name(make, text: str, country: str) -> None:
    paths, classifier = choir(make)
    write(paths[1], artist="Selda", country=text)
    assert plan(paths, classifier, vote="artist")[0].changes["country"] == (country,)


def test_a_vote_by_album(make) -> None:
    paths, classifier = choir(make)
    for path, album in zip(paths, "xxyy", strict=True):
        write(path, artist="Selda", album=album)
    files = plan(paths, classifier, vote="album")
    assert [file.changes.get("country") for file in files] == [("TR",), ("TR",), ("IR",), ("IR",)]


@pytest.mark.parametrize("evidence", [None, ("sound",)])
def test_without_a_vote_files_of_one_album_stand_alone(make, evidence: tuple[str, ...] | None) -> None:
    paths = [write(make(f"{name}.mp3"), artist="Selda", album="x") for name in "ab"]
    said = {
        "a.mp3": answer(paths[0], country={"TR": 0.97, "IR": 0.03}),
        "b.mp3": answer(paths[1], country={"TR": 0.03, "IR": 0.97}),
    }
    files = plan(paths, FakeClassifier(said), vote="none", evidence=evidence)
    assert [file.changes["country"] for file in files] == [("TR",), ("IR",)]
    assert [file.dissent for file in files] == ["", ""]


def test_files_without_an_artist_stand_alone(make) -> None:
    paths = [make("a.mp3"), make("b.mp3")]
    said = {
        "a.mp3": answer(paths[0], country={"TR": 0.8, "IR": 0.2}),
        "b.mp3": answer(paths[1], country={"TR": 0.2, "IR": 0.8}),
    }
    files = plan(paths, FakeClassifier(said), vote="artist")
    assert [file.changes["country"] for file in files] == [("TR",), ("IR",)]


def test_albums_of_the_same_name_by_different_artists_are_two(make) -> None:
    paths, classifier = choir(make)
    for path, artist in zip(paths, ("Selda", "Selda", "Other", "Other"), strict=True):
        write(path, artist=artist, album="Greatest Hits")
    files = plan(paths, classifier, vote="album")
    assert [file.changes["country"] for file in files] == [("TR",), ("TR",), ("IR",), ("IR",)]
    assert files[0].fields["country"].probability == pytest.approx((0.8 + 0.45) / 2)
    assert files[2].fields["country"].probability == pytest.approx((0.3 + 0.9) / 2)


@pytest.mark.parametrize(
    ("model", "country", "probability"),
    [
        ("fake 1 0123abcd", "US", (0.99 + 0.4) / 2),  # said by the model that votes, in an earlier run
        ("other 2 89abcdef", "TR", 0.6),  # by another one: that is not its opinion
    ],
)
def test_notes_count_for_the_model_that_made_them(make, model: str, country: str, probability: float) -> None:
    noted, open_ = write(make("noted.mp3"), artist="Selda", country="US"), write(make("open.mp3"), artist="Selda")
    tags = mutagen.id3.ID3(noted)
    for description, text in (("GEOCLASS_COUNTRY", "US 0.99; TR 0.01"), ("GEOCLASS_MODEL", model)):
        tags.add(mutagen.id3.TXXX(encoding=3, desc=description, text=[text]))
    tags.save()
    classifier = FakeClassifier({"open.mp3": answer(open_, country={"TR": 0.6, "US": 0.4})})
    files = plan([noted, open_], classifier, vote="artist", fields=("country",))
    assert [path.name for path in classifier.asked] == ["open.mp3"]
    assert files[1].changes["country"] == (country,)
    assert files[1].fields["country"].probability == pytest.approx(probability)


def test_a_vote_is_settled_by_the_second_run(make, tmp_path: Path) -> None:
    paths, classifier = choir(make)
    policy = Policy(vote="artist", fields=("country",), overwrite=frozenset({"country"}))
    apply_plan(plan_tags(classifier, paths=paths, policy=policy), journal=tmp_path / "journal")
    again = FakeClassifier(classifier.said)
    assert {file.status for file in plan_tags(again, paths=paths, policy=policy)} == {"unchanged"}
    assert again.asked == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(4)), vote=st.sampled_from(["none", "artist", "album"]))
def test_the_order_of_files_changes_nothing(make, order: list[int], vote: str) -> None:
    paths, classifier = choir(make)
    straight = {file.path: file for file in plan(paths, classifier, vote=vote)}
    for file in plan([paths[index] for index in order], classifier, vote=vote):
        assert (file.changes, file.dissent) == (straight[file.path].changes, straight[file.path].dissent)


# ---- corrections ------------------------------------------------------------------------------------------------


def test_a_correction_holds_for_the_artist_and_survives(make, tmp_path: Path) -> None:
    first, second = (write(make(name), artist="Selda") for name in ("a.mp3", "b.mp3"))
    remembered = Corrections()
    remembered.add("country", first, read_tags(first), ("CY",))
    remembered.add("genre", first, read_tags(first), ("Türkü",))
    remembered.save()
    loaded = Corrections.load()
    files = list(plan_tags(FakeClassifier(), paths=[first, second], remembered=loaded))
    assert [file.changes["country"] for file in files] == [("CY",), ("CY",)]
    assert [file.changes["genre"] for file in files] == [("Türkü",), ("Folk", "Hip-Hop Rap")]


@given(
    st.lists(
        st.tuples(st.text("abcXYZ -&'", min_size=1).filter(lambda s: s == s.strip()), st.integers(0, 100)),
        min_size=1,
        max_size=3,
    )
)
def test_provenance_reads_back(pairs: list[tuple[str, int]]) -> None:
    candidates = tuple((label, percent / 100) for label, percent in pairs)
    assert parse_provenance(provenance(candidates)) == candidates


@given(st.text())
def test_genre_names_hold_nothing_that_players_split_at(text: str) -> None:
    assert not set(genre_name(text)) & set(",;/\\\0")


@pytest.mark.parametrize("text", ["", "TR", "TR 62%", "nonsense; TR 0.62"])
def test_what_is_no_provenance(text: str) -> None:
    assert parse_provenance(text) == ()
