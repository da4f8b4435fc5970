"""The country from everything that a file says: who is asked, who is believed, what is written down."""

import json
from pathlib import Path

import mutagen.apev2
import mutagen.id3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tagging_helpers import FakeClassifier, answer, patched
from typer.testing import CliRunner

from geoclass.cli.app import app
from geoclass.evidence.artist_table import Artist, ArtistTable, default_path, write_table
from geoclass.evidence.registry import WITNESSES, Sources
from geoclass.inference.prediction import OUTSIDE, Failure
from geoclass.tagging import models
from geoclass.tagging.apply import apply_plan
from geoclass.tagging.plan import iter_plan, plan_tags
from geoclass.tagging.policy import Policy
from geoclass.tagging.tags import read_tags
from geoclass.tagging.undo import undo

ALL = tuple(WITNESSES)
TURKISH, ENGLISH, KOREAN = "Şarkılar seni söyler", "Tell me the truth", "눈누난나"
FRAMES = {"artist": "TPE1", "album": "TALB", "genre": "TCON", "title": "TIT2", "language": "TLAN", "isrc": "TSRC"}


def write(path: Path, **texts: str) -> Path:
    tags = mutagen.id3.ID3()
    for name, text in texts.items():
        if name == "country":
            tags.add(mutagen.id3.TXXX(encoding=3, desc="ARTISTCOUNTRY", text=[text]))
        else:
            tags.add(getattr(mutagen.id3, FRAMES[name])(encoding=3, text=[text]))
    tags.save(path, v2_version=4)
    return path


class Deaf(FakeClassifier):
    """Takes everything for none of its countries."""

    def default(self, path: Path):
        return answer(path, country={"TR": 0.01, OUTSIDE: 0.99}, genre={"Folk": 0.1})


def plan(paths, classifier=None, *, sources: Sources | None = None, **policy):
    policy = {"evidence": ALL, "vote": "artist"} | policy
    return list(plan_tags(classifier or Deaf(), paths=paths, policy=Policy(**policy), sources=sources))


def known(*artists: tuple[str, str]) -> Sources:
    rows = [Artist(mbid=f"{name} {country}", name=name, country=country) for name, country in artists]
    write_table(rows, path=default_path(), source="test")
    return Sources(artists=ArtistTable.open_default())


# ---- one file ---------------------------------------------------------------------------------------------------


def test_a_silent_model_does_not_keep_the_title_from_speaking(make) -> None:
    (file,) = plan([write(make("a.mp3"), title=TURKISH)])
    assert file.changes["country"] == ("TR",)
    assert file.changes["evidence"] == ("language",)
    assert file.fields["country"].outcome == "planned"
    assert file.fields["country"].probability >= 0.9


def test_the_same_threshold_for_both_fields(make) -> None:
    paths = [make("a.mp3"), make("b.mp3")]
    said = {
        "a.mp3": answer(paths[0], country={"TR": 0.93, OUTSIDE: 0.07}, genre={"Folk": 0.91}),
        "b.mp3": answer(paths[1], country={"TR": 0.85, OUTSIDE: 0.15}, genre={"Folk": 0.89}),
    }
    sure, unsure = plan(paths, FakeClassifier(said))
    assert (sure.changes["country"], sure.changes["genre"]) == (("TR",), ("Folk",))
    assert sure.changes["evidence"] == ("sound",)
    assert unsure.changes == {}
    assert [of.outcome for of in unsure.fields.values()] == ["unsure", "unsure"]
    assert unsure.fields["country"].candidates[0][0] == "TR"
    (file,) = plan([paths[1]], FakeClassifier(said), min_confidence=0.8)
    assert set(file.changes) >= {"country", "genre"}


def test_a_named_model_answers_alone_at_its_own_threshold(make) -> None:
    path = write(make("a.mp3"), title=KOREAN)
    (file,) = plan([path], FakeClassifier(sure=0.62), evidence=None, vote="none")
    assert file.changes["country"] == ("TR",)
    assert "evidence" not in file.changes


@pytest.mark.parametrize("suffix", ["ofr", "mp3"])
def test_what_cannot_be_decoded_still_gets_what_its_tags_say(make, tmp_path: Path, suffix: str) -> None:
    speaks, silent = make(f"speaks.{suffix}"), make(f"silent.{suffix}")
    for path, title in ((speaks, KOREAN), (silent, "7")):
        if suffix == "mp3":
            write(path, title=title)
        else:
            tags = mutagen.apev2.APEv2()
            tags["Title"] = title
            tags.save(path)
    said = {path.name: Failure(path=path, reason="there is no decoder for it") for path in (speaks, silent)}
    files = plan([speaks, silent], FakeClassifier(said))
    assert (files[0].status, files[0].changes["country"]) == ("planned", ("KR",))
    assert (files[0].changes["evidence"], files[0].fields["genre"].outcome) == (("language",), "unsure")
    assert (files[1].status, dict(files[1].changes)) == ("failed", {})
    assert [file.reason for file in files] == ["there is no decoder for it"] * 2
    apply_plan(iter(files), journal=tmp_path / "journal")
    assert read_tags(speaks).values["country"] == ("KR",)
    alone = plan([silent], FakeClassifier(said), evidence=None, vote="none")
    assert [file.status for file in alone] == ["failed"]


def test_what_tags_and_table_settle_is_not_decoded(make) -> None:
    settled = write(make("a.mp3"), title=KOREAN, genre="Dance")
    open_genre = write(make("b.mp3"), title=KOREAN)
    open_country = write(make("c.mp3"), title=ENGLISH, genre="Dance")
    classifier = Deaf()
    files = plan([settled, open_genre, open_country], classifier)
    assert [path.name for path in classifier.asked] == ["b.mp3", "c.mp3"]
    assert files[0].changes["country"] == files[1].changes["country"] == ("KR",)
    assert "country" not in files[2].changes


def test_a_model_that_is_never_sure_of_the_country_is_not_asked_for_it_alone(make) -> None:
    class NeverSure(Deaf):
        never_sure = ("country",)

    unclear, tagged = write(make("a.mp3"), title=ENGLISH), write(make("b.mp3"), title=ENGLISH, genre="Rock")
    for witnesses, heard in ((ALL, [unclear]), (("sound", "codes"), [unclear]), (("sound",), [unclear, tagged])):
        classifier = NeverSure()
        plan([unclear, tagged], classifier, evidence=witnesses)
        assert classifier.asked == heard
    everybody = Deaf()  # one that may be sure is asked
    plan([tagged], everybody)
    assert everybody.asked == [tagged]


def test_what_nobody_speaks_for_names_no_witness(make, tmp_path: Path) -> None:
    """With a confidence of 0 the most frequent country is written; an empty tag would not read back."""
    path = write(make("a.mp3"), title="7")
    files = plan([path], min_confidence=0.0)
    assert all(value.strip() for values in files[0].changes.values() for value in values)
    (written,) = apply_plan(iter(files), journal=tmp_path / "journal")
    assert (written.status, written.reason) == ("written", "")
    assert "country" in read_tags(path).values
    assert "evidence" not in read_tags(path).values


def test_without_sound_no_model_is_needed(make) -> None:
    path = write(make("a.mp3"), title=KOREAN)
    policy = Policy(evidence=("language",), fields=("country",))
    (file,) = plan_tags(None, paths=[path], policy=policy)
    assert file.changes["country"] == ("KR",)
    (file,) = plan_tags(None, paths=[path], policy=Policy(evidence=("codes",), fields=("country",)))
    assert (file.status, file.fields["country"].outcome) == ("abstained", "unsure")


def test_a_file_name_stands_for_missing_tags(make) -> None:
    files = plan([make("IU - 눈누난나.mp3"), make("07 - Tell me.mp3")], sources=known(("IU", "KR")))
    assert files[0].fields["country"].value == ("KR",)
    assert {reason.witness for reason in files[0].fields["country"].evidence} >= {"artists", "language"}
    assert files[1].fields["country"].value == ()


def test_what_a_person_wrote_is_kept_and_says_so(make) -> None:
    (file,) = plan([write(make("a.mp3"), title=KOREAN, country="GR", genre="Folk")])
    assert (file.status, file.changes) == ("unchanged", {})
    assert [(of.outcome, of.probability) for of in file.fields.values()] == [("kept", None), ("kept", None)]
    (file,) = plan([write(make("b.mp3"), title=KOREAN, genre="Folk")])
    assert (file.fields["genre"].outcome, file.fields["genre"].probability) == ("kept", None)


# ---- an artist's files ------------------------------------------------------------------------------------------


def test_one_artist_one_country(make) -> None:
    paths = [write(make(f"{n}.mp3"), artist="Selda", title=TURKISH if n else ENGLISH) for n in range(3)]
    paths.append(write(make("guest.mp3"), artist="Selda feat. Jessi", title=TURKISH))
    paths.append(write(make("other.mp3"), artist="Nobody Knows", title=ENGLISH))
    files = plan(paths)
    assert [file.changes.get("country") for file in files] == [("TR",)] * 4 + [None]
    assert len({file.fields["country"].probability for file in files[:4]}) == 1
    assert plan(paths[:1])[0].changes == {}


def test_a_guest_does_not_outvote_the_host(make) -> None:
    sources = known(("Selda", "TR"), ("Jessi", "KR"))
    paths = [write(make(f"{n}.mp3"), artist="Selda feat. Jessi", title=ENGLISH) for n in range(9)]
    assert {file.changes["country"] for file in plan(paths, sources=sources)} == {("TR",)}


def test_various_artists_are_nobody(make) -> None:
    paths = [
        write(make(f"{n}.mp3"), artist="Various Artists", title=title) for n, title in enumerate((KOREAN, ENGLISH))
    ]
    assert [file.changes.get("country") for file in plan(paths)] == [("KR",), None]


def test_what_the_owner_wrote_speaks_for_the_artists_other_files(make) -> None:
    paths = [write(make("a.mp3"), artist="X", title=ENGLISH, country="Iceland")]
    paths += [write(make(f"{n}.mp3"), artist="x", title=ENGLISH) for n in range(3)]
    files = plan(paths)
    assert [file.changes.get("country") for file in files] == [None, ("IS",), ("IS",), ("IS",)]
    assert files[1].changes["evidence"] == ("tags",)


def test_files_that_alone_would_be_told_otherwise_are_named(make) -> None:
    paths = [write(make(f"{n}.mp3"), artist="Mavi", title=TURKISH) for n in range(4)]
    paths.append(write(make("k.mp3"), artist="Mavi", title=KOREAN))
    files = plan(paths)
    assert [bool(file.dissent) for file in files] == [False] * 4 + [True]
    assert files[4].dissent.startswith("KR")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(6)))
def test_the_order_of_files_changes_nothing(make, order: list[int]) -> None:
    titles = [TURKISH, ENGLISH, KOREAN, TURKISH, "Te quiero", "Du hast"]
    paths = [write(make(f"{n}.mp3"), artist="AB"[n % 2], title=title) for n, title in enumerate(titles)]
    straight = {file.path: file for file in plan(paths)}
    shuffled = [paths[index] for index in order]
    files = plan(shuffled)
    assert [file.path for file in files] == shuffled
    for file in files:
        assert (file.changes, file.fields) == (straight[file.path].changes, straight[file.path].fields)


def test_an_artist_is_planned_as_soon_as_the_last_file_has_come(make) -> None:
    artists = "ABAABB"
    paths = [write(make(f"{n}.mp3"), artist=artist, title=ENGLISH) for n, artist in enumerate(artists)]
    policy = Policy(evidence=("language",), vote="artist", fields=("country",))
    assert [file.index for file in iter_plan(None, paths=paths, policy=policy)] == [0, 2, 3, 1, 4, 5]
    assert [file.index for file in plan_tags(None, paths=paths, policy=policy)] == list(range(6))


# ---- later runs -------------------------------------------------------------------------------------------------


def test_a_second_run_asks_and_writes_nothing(make, tmp_path: Path) -> None:
    paths = [write(make(f"{n}.mp3"), artist="Selda", title=TURKISH, genre="Folk") for n in range(3)]
    written = apply_plan(plan(paths, FakeClassifier()), journal=tmp_path / "journal")
    assert {file.status for file in written} == {"written"}
    assert read_tags(paths[0]).values["evidence"][0].split(", ")[0] in ("sound", "language")
    again = FakeClassifier()
    files = plan(paths, again)
    assert ({file.status for file in files}, again.asked) == ({"unchanged"}, [])
    assert {file.fields["country"].outcome for file in files} == {"written"}


def test_a_new_table_is_a_new_reason_to_ask(make, tmp_path: Path) -> None:
    path = write(make("a.mp3"), artist="Selda", title=ENGLISH)
    said = {"a.mp3": answer(path, country={OUTSIDE: 1.0}, genre={"Folk": 0.95})}
    apply_plan(plan([path], FakeClassifier(said)), journal=tmp_path / "journal")
    assert "country" not in read_tags(path).values
    (file,) = plan([path], FakeClassifier(said), sources=known(("Selda", "TR")))
    assert file.changes["country"] == ("TR",)


# ---- the command ------------------------------------------------------------------------------------------------


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> Deaf:
    classifier = Deaf()
    monkeypatch.setattr(models, "load_classifier", lambda *_arguments, **_options: classifier)
    return classifier


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)


def test_json_says_what_each_witness_said(deaf: Deaf, make) -> None:
    path = write(make("a.mp3"), artist="Selda", title=TURKISH, genre="Türkü")
    result = run("tag", path, "--json")
    (document,) = map(json.loads, result.stdout.splitlines())
    country, genre = document["fields"]["country"], document["fields"]["genre"]
    assert list(country) == ["value", "name", "outcome", "probability", "candidates", "evidence", "model"]
    assert (country["value"], country["name"], country["outcome"]) == ("TR", "Türkiye", "written")
    assert country["probability"] == country["candidates"][0][1]
    spoke = {reason["witness"]: reason for reason in country["evidence"]}
    assert set(spoke) >= {"language", "words"}
    assert spoke["language"]["says"][0][0] == "TR"
    assert spoke["language"]["because"] == "the title is Turkish"
    assert (genre["value"], genre["outcome"], genre["probability"], genre["evidence"]) == (["Türkü"], "kept", None, [])


def test_the_table_has_heads_and_says_what_became_of_each_field(deaf: Deaf, make) -> None:
    folder = write(make("music/a.mp3"), title=TURKISH, genre="Rock").parent
    write(make("music/b.mp3"), title=ENGLISH)
    write(make("music/c.mp3"), title=ENGLISH, country="GR")
    lines = run("tag", folder, "--dry-run").output.splitlines()
    head, first, *_ = lines
    assert head.split() == ["file", "country", "genre", "path"]
    assert "TR" in first
    assert "planned: language of the title" in first
    assert "Rock kept" in first
    text = "\n".join(lines)
    assert "unsure" in text
    totals = next(line for line in lines if line.split()[:1] == ["field"])
    assert totals.split() == ["field", "planned", "kept", "unsure"]
    assert any(line.split() == ["country", "1", "1", "1"] for line in lines)


def test_evidence_names_the_witnesses(deaf: Deaf, make) -> None:
    path = write(make("a.mp3"), title=KOREAN, genre="Dance")
    assert run("tag", path, "--dry-run", "--evidence", "codes,words", "--json").stdout.count('"KR"') == 0
    assert '"KR"' in run("tag", path, "--dry-run", "--evidence", "language", "--json").stdout
    result = run("tag", path, "--evidence", "letters")
    assert result.exit_code == 2
    assert "language" in result.output


def test_a_damaged_artist_table_is_named_and_the_run_goes_on(deaf: Deaf, make) -> None:
    known(("Selda", "TR"))
    default_path().write_bytes(b"SQLite format 3\x00" + b"\xff" * 5_000)
    result = run("tag", write(make("a.mp3"), title=TURKISH, artist="Selda"))
    assert result.exit_code == 0
    assert "artists.sqlite" in result.output
    assert "TR" in result.output


def test_lookup_without_artists_among_the_witnesses(deaf: Deaf, make) -> None:
    result = run("tag", make("a.mp3"), "--lookup", "musicbrainz", "--evidence", "language")
    assert result.exit_code == 2
    assert "--evidence" in result.output


def test_lookup_offline_is_a_note(deaf: Deaf, make, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    from geoclass.evidence import musicbrainz_web

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr(
        musicbrainz_web.MusicBrainz.__init__,
        "__kwdefaults__",
        musicbrainz_web.MusicBrainz.__init__.__kwdefaults__ | {"server": nobody},
    )
    folder = write(make("music/a.mp3"), artist="Selda", title=TURKISH).parent
    write(make("music/b.mp3"), artist="Barış", title=ENGLISH)
    result = run("tag", folder, "--lookup", "musicbrainz")
    assert result.exit_code == 0
    assert result.output.count("MusicBrainz does not respond") == 1
    assert read_tags(folder / "a.mp3").values["country"] == ("TR",)


def test_what_was_learned_of_the_library_counts_unless_a_model_is_named(make, capsys) -> None:
    from geoclass.evidence.library import LibraryEvidence
    from geoclass.storage import data_dir

    path = write(make("a.mp3"), title=TURKISH)
    words = ["tag", str(path), "--dry-run", "--json", "--fields", "country", "--evidence", "language"]

    def said(*more: str) -> dict:
        done = CliRunner().invoke(app, [*words, *more])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)["fields"]["country"]

    assert said()["value"] == "TR"
    LibraryEvidence(trust={"title": 0.0}, artists={"GR": 40}).save(data_dir() / "models" / "mine")
    assert said()["value"] is None
    assert said("--model", "country-traditional")["value"] == "TR"


@pytest.mark.parametrize("suffix", [".mp3", ".flac", ".m4a", ".ogg"])
@pytest.mark.parametrize("before", [None, "sound"])
def test_undo_takes_the_evidence_back_byte_for_byte(make, tmp_path: Path, suffix: str, before: str | None) -> None:
    path = make(f"{TURKISH}{suffix}")
    if before is not None:  # what an earlier run left
        patched(path, evidence=(before,))
    original = path.read_bytes()
    apply_plan(plan([path], fields=("country",)), journal=tmp_path / "run.jsonl")
    assert read_tags(path).get("evidence") == ("language",)
    assert path.read_bytes() != original
    undo(tmp_path / "run.jsonl")
    assert read_tags(path).get("evidence") == (() if before is None else (before,))
    assert path.read_bytes() == original
