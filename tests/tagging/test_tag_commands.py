"""`geoclass tag` and `geoclass undo` as people type them."""

import json
from pathlib import Path

import mutagen.id3
import pytest
from tagging_helpers import FakeClassifier, answer
from typer.testing import CliRunner

from geoclass.cli.app import app
from geoclass.inference.prediction import Failure
from geoclass.tagging import models
from geoclass.tagging.lock import only_run
from geoclass.tagging.tags import read_tags

runner = CliRunner()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeClassifier:
    classifier = FakeClassifier()
    monkeypatch.setattr(models, "load_classifier", lambda *_arguments, **_options: classifier)
    return classifier


def run(*arguments: object, input: str | None = None):
    """A named model speaks alone; how witnesses are joined is tested in test_tag_evidence.py."""
    if arguments[0] == "tag":
        arguments = ("tag", "--model", "fake", *arguments[1:])
    return runner.invoke(app, [str(argument) for argument in arguments], input=input, catch_exceptions=False)


def test_tag_and_undo(fake: FakeClassifier, make) -> None:
    paths = [make(f"music/{name}") for name in ("a.mp3", "sub/b.flac")]
    old = [path.read_bytes() for path in paths]
    result = run("tag", paths[0].parent)
    assert result.exit_code == 0, result.output
    assert "TR 0.62" in result.output
    assert all(read_tags(path).values["country"] == ("TR",) for path in paths)
    result = run("undo")
    assert result.exit_code == 0
    assert "restored" in result.output
    assert [path.read_bytes() for path in paths] == old
    assert run("undo").exit_code == 2


def test_json_is_one_object_a_file_in_order(fake: FakeClassifier, make, tmp_path: Path) -> None:
    names = ("a.mp3", "b.mp3", "c.mp3", "d.mp3")
    paths = [make(name) for name in names]
    fake.said = {
        "b.mp3": answer(paths[1], country={"TR": 0.4, "IR": 0.3}, genre={"Folk": 0.2}),
        "c.mp3": Failure(path=paths[2], reason="not decodable as audio"),
        "d.mp3": answer(paths[3], note="silence"),
    }
    result = run("tag", "--json", "--dry-run", *paths)
    assert result.exit_code == 1
    documents = [json.loads(line) for line in result.stdout.splitlines()]
    assert [document["path"] for document in documents] == [str(path) for path in paths]
    assert [document["status"] for document in documents] == ["planned", "abstained", "failed", "abstained"]
    for plan in documents[0]["fields"].values():
        assert [reason["witness"] for reason in plan.pop("evidence")] == ["sound"]
    assert documents[0] == {
        "path": str(paths[0]),
        "status": "planned",
        "error": None,
        "fields": {
            "country": {
                "value": "TR",
                "name": "Türkiye",
                "outcome": "planned",
                "probability": 0.62,
                "candidates": [["TR", 0.62], ["IR", 0.1], ["GR", 0.1], ["US", 0.1]],
                "model": None,
            },
            "genre": {
                "value": ["Folk", "Hip-Hop Rap"],
                "outcome": "planned",
                "probability": 0.71,
                "candidates": [["Folk", 0.71], ["Hip-Hop Rap", 0.6], ["Rock", 0.2]],
                "model": None,
            },
        },
    }
    unsure = documents[1]["fields"]["country"]
    assert (unsure["value"], unsure["name"], unsure["outcome"]) == (None, None, "unsure")
    assert unsure["candidates"] == [["TR", 0.4], ["IR", 0.3]]
    assert documents[1]["fields"]["genre"]["value"] is None
    assert [document["error"] for document in documents] == [None, None, "not decodable as audio", "silence"]
    assert read_tags(paths[0]).values == {}
    written = run("tag", "--json", paths[0])
    assert json.loads(written.stdout)["status"] == "written"
    again = json.loads(run("tag", "--json", paths[0]).stdout)
    assert (again["status"], again["fields"]["country"]["value"]) == ("unchanged", "TR")


def test_names_that_are_not_utf8(fake: FakeClassifier, make, sounds, tmp_path: Path) -> None:
    import os

    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp3"))
    path.write_bytes(sounds["mp3"])
    result = run("tag", "--json", tmp_path)
    assert json.loads(result.stdout)["path"] == str(path)
    assert run("undo").exit_code == 0
    assert run("tag", tmp_path).exit_code == 0


@pytest.mark.parametrize(
    ("option", "country", "genre"),
    [
        (["--overwrite"], "TR", ("Folk", "Hip-Hop Rap")),
        (["--overwrite", "country"], "TR", ("Türkü",)),
        (["--overwrite=genre"], "GR", ("Folk", "Hip-Hop Rap")),
        ([], "GR", ("Türkü",)),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_overwrite_alone_or_by_field(
    fake: FakeClassifier, make, option: list[str], country: str, genre: tuple[str, ...], first: bool
) -> None:
    import mutagen.id3

    path = make("a.mp3")
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TXXX(encoding=3, desc="ARTISTCOUNTRY", text=["GR"]))
    tags.add(mutagen.id3.TCON(encoding=3, text=["Türkü"]))
    tags.save(path)
    arguments = [*option, path] if first else [path, *option]
    assert run("tag", *arguments).exit_code == 0
    found = read_tags(path).values
    assert (found["country"], found["genre"]) == ((country,), genre)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fields", "mood"], "--fields: expected country or genre"),
        (["--overwrite=mood"], "--overwrite: expected country or genre"),
        (["--review", "--json"], "--review"),
        (["--min-confidence", "2"], "min-confidence"),
    ],
)
def test_wrong_usage(fake: FakeClassifier, make, arguments: list[str], words: str) -> None:
    result = run("tag", make("a.mp3"), *arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_a_folder_without_sound_and_a_missing_path(fake: FakeClassifier, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    assert run("tag", tmp_path).exit_code == 2
    result = run("tag", tmp_path / "missing.mp3")
    assert result.exit_code == 1
    assert "No such file" in result.output


def test_folders_below_can_be_left_out(fake: FakeClassifier, make, tmp_path: Path) -> None:
    make("music/a.mp3"), make("music/sub/b.mp3")
    result = run("tag", "--no-recursive", "--json", tmp_path / "music")
    assert [json.loads(line)["path"] for line in result.stdout.splitlines()] == [str(tmp_path / "music" / "a.mp3")]


def test_a_second_run_at_once_is_refused_but_may_look(fake: FakeClassifier, make) -> None:
    path = make("a.mp3")
    with only_run():
        assert run("tag", path).exit_code == 3
        assert run("undo").exit_code == 3
        assert run("tag", "--dry-run", path).exit_code == 0
    assert read_tags(path).values == {}


def test_quiet_prints_failures_only(fake: FakeClassifier, make) -> None:
    good, bad = make("a.mp3"), make("b.mp3")
    fake.said = {"b.mp3": Failure(path=bad, reason="not decodable as audio")}
    result = run("tag", "--quiet", good, bad)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "not decodable" in result.stderr


def test_a_named_journal(fake: FakeClassifier, make, tmp_path: Path) -> None:
    path, journal = make("a.mp3"), tmp_path / "journal.jsonl"
    original = path.read_bytes()
    assert run("tag", path, "--journal", journal).exit_code == 0
    assert run("tag", path, "--journal", journal).exit_code == 2
    assert run("undo", journal).exit_code == 0
    assert path.read_bytes() == original


def test_files_that_disagree_with_a_vote_are_listed(fake: FakeClassifier, make) -> None:
    import mutagen.id3

    paths = [make("a.mp3"), make("b.mp3")]
    for path in paths:
        tags = mutagen.id3.ID3()
        tags.add(mutagen.id3.TPE1(encoding=3, text=["Selda"]))
        tags.save(path)
    fake.said = {
        "a.mp3": answer(paths[0], country={"TR": 0.9, "IR": 0.1}),
        "b.mp3": answer(paths[1], country={"TR": 0.4, "IR": 0.6}),
    }
    result = run("tag", "--vote", "artist", *paths)
    assert "IR 0.60 on its own, TR 0.65 in the vote" in " ".join(result.output.split())


def test_review(fake: FakeClassifier, make, tmp_path: Path) -> None:
    paths = [make(f"{name}.mp3") for name in "abcde"]
    answers = ["a", "s", "c", "Atlantis", "Cyprus", "Laiko, Rebetiko", "q"]
    result = run("tag", "--review", *paths, input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    assert "Atlantis" in result.output
    assert read_tags(paths[0]).values["country"] == ("TR",)
    assert read_tags(paths[1]).values == {}
    corrected = read_tags(paths[2]).values
    assert (corrected["country"], corrected["genre"]) == (("CY",), ("Laiko", "Rebetiko"))
    assert read_tags(paths[3]).values == read_tags(paths[4]).values == {}
    run("undo")
    run("tag", paths[2])  # the correction is remembered
    assert read_tags(paths[2]).values["country"] == ("CY",)


def test_review_accepts_the_rest(fake: FakeClassifier, make) -> None:
    paths = [make(f"{name}.mp3") for name in "abc"]
    assert run("tag", "--review", *paths, input="l\n").exit_code == 0
    assert all(read_tags(path).values["country"] == ("TR",) for path in paths)


def test_ctrl_c_keeps_what_is_done(fake: FakeClassifier, make, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [make(f"music/{index}.mp3") for index in range(20)]
    old = [path.read_bytes() for path in paths]
    heard = fake.predict_many

    def interrupted(files):
        for index, answered in enumerate(heard(files)):
            if index == 12:
                raise KeyboardInterrupt
            yield answered

    monkeypatch.setattr(fake, "predict_many", interrupted)
    assert run("tag", paths[0].parent).exit_code == 130
    written = [path for path in paths if read_tags(path).values]
    assert 0 < len(written) <= 12
    assert not list(paths[0].parent.glob(".geoclass-*"))
    assert run("undo").exit_code == 0
    assert [path.read_bytes() for path in paths] == old


def test_undo_names_what_was_edited_since_and_what_failed(fake: FakeClassifier, make, tmp_path: Path) -> None:
    edited, gone, other = (make(f"music/{name}.mp3") for name in ("edited", "gone", "other"))
    journal = tmp_path / "run.jsonl"
    assert run("tag", edited.parent, "--journal", journal).exit_code == 0
    tags = mutagen.id3.ID3(edited)
    tags.add(mutagen.id3.TCON(encoding=3, text=["Türkü"]))
    tags.save()
    gone.unlink()
    result = run("undo", journal)
    assert result.exit_code == 1
    assert f"warning: {edited}: edited since the run; kept: genre" in result.stderr
    assert f"error: {gone}: No such file or directory" in result.stderr
    assert str(other) not in result.output
    rows = {line.split()[0]: line.split()[1] for line in result.stdout.splitlines()[1:] if line.split()}
    assert rows == {"edited": "1", "failed": "1", "restored": "1"}


def test_undo_of_something_else(fake: FakeClassifier, make) -> None:
    path = make("a.mp3")
    result = run("undo", path)
    assert result.exit_code == 3
    assert f"error: {path} is not a journal of geoclass tag" in result.stderr
    assert "hint: `geoclass undo` without a name undoes the last run" in result.stderr
