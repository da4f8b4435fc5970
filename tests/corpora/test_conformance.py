"""What holds for every registered corpus, on a tiny tree each (after mirdata's test_loaders)."""

import math
import os
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from corpus_trees import TREES, Tree

from geoclass.corpora.base import SPLITS, Corpus, Skipped, Track
from geoclass.corpora.registry import CORPORA, open_corpus
from geoclass.errors import CorpusError, UsageError

NAMES = sorted(CORPORA)


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tree(name: str, tmp_path: Path) -> Tree:
    return TREES[name](tmp_path / name)


@pytest.fixture
def corpus(name: str, tree: Tree) -> Corpus:
    return open_corpus(name, tree.root, **tree.options)


def usable(corpus: Corpus) -> list[Track]:
    return [item for item in corpus.tracks() if isinstance(item, Track)]


def test_the_registry_is_what_it_is_thought_to_be() -> None:
    assert NAMES == ["fma", "folder", "gtzan", "mirage", "uci"]
    assert set(TREES) == set(CORPORA)


def test_it_says_what_it_is(name: str, corpus: Corpus) -> None:
    assert corpus.name == name
    assert corpus.tasks
    assert set(corpus.tasks) <= {"country", "genre"}
    assert corpus.description
    assert "\n" not in corpus.description
    assert (corpus.audio_root is None) == bool(corpus.columns)


def test_tracks_have_unique_ids(corpus: Corpus) -> None:
    ids = [track.track_id for track in usable(corpus)]
    assert len(ids) >= 2
    assert len(set(ids)) == len(ids)
    assert all(ids)


def test_each_track_has_its_label_or_what_leads_to_it(corpus: Corpus) -> None:
    for track in usable(corpus):
        if corpus.tasks == ("genre",):
            assert track.genre
            assert track.genre in track.genres
        else:
            assert track.country or track.place or track.latitude is not None
        assert (track.latitude is None) == (track.longitude is None)


def test_paths_are_posix_below_the_audio_root_and_exist(corpus: Corpus) -> None:
    for track in usable(corpus):
        if corpus.audio_root is None:
            assert track.path == ""
        else:
            assert not PurePosixPath(track.path).is_absolute()
            assert (corpus.audio_root / track.path).stat().st_size > 0


def test_features_are_finite_and_named_by_the_columns(corpus: Corpus) -> None:
    for track in usable(corpus):
        assert tuple(track.features or ()) == corpus.columns
        assert all(math.isfinite(value) for value in (track.features or {}).values())


def test_nothing_that_is_listed_is_dropped_silently(tree: Tree, corpus: Corpus) -> None:
    found = list(corpus.tracks())
    if tree.listed:
        assert {item.track_id for item in found} == tree.listed
    assert any(isinstance(item, Skipped) for item in found)
    assert all(item.track_id and item.reason for item in found if isinstance(item, Skipped))


def test_the_order_is_the_same_every_time(name: str, tree: Tree, corpus: Corpus) -> None:
    first = list(corpus.tracks())
    notes = list(corpus.notes)
    assert list(corpus.tracks()) == first
    assert corpus.notes == notes
    assert list(open_corpus(name, tree.root, **tree.options).tracks()) == first


def test_tracks_are_frozen(corpus: Corpus) -> None:
    with pytest.raises(AttributeError):
        usable(corpus)[0].title = "other"  # type: ignore[misc]


def test_an_official_split_is_there_whole_or_not_at_all(corpus: Corpus) -> None:
    splits = {track.split for track in usable(corpus)}
    assert splits == {""} or splits - {""} == set(SPLITS)


def test_a_missing_root_is_one_error(name: str, tree: Tree, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="does not exist") as caught:
        open_corpus(name, tmp_path / "nowhere", **tree.options)
    assert "nowhere" in caught.value.message
    assert caught.value.hint


def test_an_empty_root_is_one_error(name: str, tree: Tree, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    with pytest.raises(CorpusError, match="is empty") as caught:
        open_corpus(name, tmp_path / "bare", **tree.options)
    assert caught.value.hint


def test_a_task_without_labels_is_one_error(name: str, tree: Tree) -> None:
    with pytest.raises(UsageError, match="mood"):
        open_corpus(name, tree.root, **tree.options, task="mood")


def test_an_option_of_another_corpus_is_refused_not_ignored(name: str, tree: Tree) -> None:
    with pytest.raises(UsageError, match="colour"):
        open_corpus(name, tree.root, **tree.options, colour="blue")


def test_an_unknown_corpus_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nope") as caught:
        open_corpus("nope", tmp_path)
    assert "fma" in str(caught.value.hint)


def test_nothing_heavy_is_imported_to_know_the_corpora() -> None:
    code = (
        "import sys, geoclass.corpora.registry; "
        "heavy = {'torch', 'pandas', 'spotipy', 'librosa', 'sklearn', 'shapely', 'pycountry'} & set(sys.modules); "
        "sys.exit(f'imports {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
