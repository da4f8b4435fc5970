import json
from pathlib import Path

import pytest
from corpus_trees import SPOTIFY, write_csv
from hypothesis import given
from hypothesis import strategies as st
from spotify_stub import SpotifyStub

from geoclass.corpora.base import Skipped, Track
from geoclass.corpora.mirage import MIRAGE
from geoclass.corpora.spotify import NO_FEATURES, NOT_FOUND, SPOTIFY_COLUMNS, SpotifyFeatures, _append, _read_cache
from geoclass.errors import CorpusError, StorageError


class Clock:
    """Takes the place of sleep."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache/spotify.jsonl"


@pytest.fixture
def features(spotify_stub: SpotifyStub, cache: Path, clock: Clock) -> SpotifyFeatures:
    spotify_stub.add("idA", "Dudu", "Tarkan")
    spotify_stub.add("idBB", "Sutera", "Aisha Retno")
    return SpotifyFeatures(cache=cache, client=spotify_stub.client(), sleep=clock)


def test_the_thirteen_numbers() -> None:
    assert tuple(SPOTIFY) == SPOTIFY_COLUMNS
    assert len(SPOTIFY_COLUMNS) == 13


def test_tracks_are_found_by_title_and_artist(features: SpotifyFeatures) -> None:
    one, none, two = features.look_up([("dudu", "TARKAN"), ("Nothing", "Nobody"), ("Sutera", "Aisha Retno")])
    assert one == {column: 3.0 + place for place, column in enumerate(SPOTIFY_COLUMNS)}
    assert isinstance(two, dict)
    assert two["danceability"] == 4.0
    assert none == NOT_FOUND


def test_a_track_of_that_title_by_someone_else_is_not_it(features: SpotifyFeatures) -> None:
    assert features.look_up([("Dudu", "Somebody Else")]) == [NOT_FOUND]


def test_a_track_without_numbers_says_so(features: SpotifyFeatures, spotify_stub: SpotifyStub) -> None:
    spotify_stub.without_features.add("idA")
    assert features.look_up([("Dudu", "Tarkan")]) == [NO_FEATURES]


def test_nothing_is_asked_twice(
    features: SpotifyFeatures, spotify_stub: SpotifyStub, cache: Path, clock: Clock
) -> None:
    pairs = [("Dudu", "Tarkan"), ("Nothing", "Nobody"), ("DUDU", "tarkan")]
    first = features.look_up(pairs)
    assert len(spotify_stub.searches()) == 2
    asked = len(spotify_stub.requests)
    assert features.look_up(pairs) == first
    again = SpotifyFeatures(cache=cache, client=spotify_stub.client(), sleep=clock)
    assert again.look_up(pairs) == first
    assert len(spotify_stub.requests) == asked


def test_a_stopped_run_goes_on_where_it_was(
    features: SpotifyFeatures, spotify_stub: SpotifyStub, cache: Path, clock: Clock
) -> None:
    features.look_up([("Dudu", "Tarkan")])
    with cache.open("a") as file:
        file.write('{"track": "cut o')  # killed while writing
    asked = len(spotify_stub.searches())
    again = SpotifyFeatures(cache=cache, client=spotify_stub.client(), sleep=clock)
    again.look_up([("Dudu", "Tarkan"), ("Sutera", "Aisha Retno")])
    assert len(spotify_stub.searches()) == asked + 1
    assert len(SpotifyFeatures(cache=cache, client=spotify_stub.client())._known) == 2


def test_retry_after_is_kept_to(features: SpotifyFeatures, spotify_stub: SpotifyStub, clock: Clock) -> None:
    spotify_stub.script = [(200, {}), (429, {"Retry-After": "7"}), (429, {"Retry-After": "2"})]
    (answer,) = features.look_up([("Dudu", "Tarkan")])
    assert isinstance(answer, dict)
    assert clock.waits == [7.0, 2.0]


def test_too_long_a_wait_ends_the_run_and_keeps_what_was_found(
    features: SpotifyFeatures, spotify_stub: SpotifyStub, cache: Path, clock: Clock
) -> None:
    features.look_up([("Dudu", "Tarkan")])
    spotify_stub.script = [(429, {"Retry-After": "86400"})]
    with pytest.raises(CorpusError, match=r"86,400 s") as caught:
        features.look_up([("Sutera", "Aisha Retno")])
    assert str(cache) in str(caught.value.hint)
    assert clock.waits == []
    assert "Dudu" in cache.read_text()


def test_errors_of_the_server_are_tried_again(
    features: SpotifyFeatures, spotify_stub: SpotifyStub, clock: Clock
) -> None:
    spotify_stub.script = [(503, {}), (502, {})]
    assert isinstance(features.look_up([("Dudu", "Tarkan")])[0], dict)
    assert clock.waits == [1.0, 2.0]
    spotify_stub.always["search"] = 500
    with pytest.raises(CorpusError, match="did not answer in 5 tries"):
        features.look_up([("Sutera", "Aisha Retno")])


def test_a_server_that_is_not_there_is_one_error(cache: Path, clock: Clock) -> None:
    stub = SpotifyStub()
    stub.port = 9  # nobody listens on discard
    with pytest.raises(CorpusError, match="did not answer"):
        SpotifyFeatures(cache=cache, client=stub.client(), sleep=clock).look_up([("a", "b")])


def test_the_refusal_of_new_applications_is_explained_before_any_search(
    features: SpotifyFeatures, spotify_stub: SpotifyStub
) -> None:
    spotify_stub.always["audio-features"] = 403
    with pytest.raises(CorpusError, match="November 2024") as caught:
        features.look_up([("Dudu", "Tarkan")])
    assert "--features CSV" in str(caught.value.hint)
    assert spotify_stub.searches() == []


def test_bad_credentials_are_one_error(features: SpotifyFeatures, spotify_stub: SpotifyStub) -> None:
    spotify_stub.always["audio-features"] = 401
    with pytest.raises(CorpusError, match="401") as caught:
        features.look_up([("Dudu", "Tarkan")])
    assert "SPOTIPY_CLIENT_ID" in str(caught.value.hint)


def test_missing_credentials_are_named(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    pytest.importorskip("spotipy")
    monkeypatch.setenv("SPOTIPY_CLIENT_ID", "x")
    monkeypatch.delenv("SPOTIPY_CLIENT_SECRET", raising=False)
    with pytest.raises(CorpusError, match="needs SPOTIPY_CLIENT_SECRET in"):
        SpotifyFeatures(cache=cache)


def test_refused_credentials_are_one_error(
    monkeypatch: pytest.MonkeyPatch, spotify_stub: SpotifyStub, tmp_path: Path, cache: Path
) -> None:
    spotipy = pytest.importorskip("spotipy")
    monkeypatch.setenv("SPOTIPY_CLIENT_ID", "x")
    monkeypatch.setenv("SPOTIPY_CLIENT_SECRET", "y")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        spotipy.SpotifyClientCredentials, "OAUTH_TOKEN_URL", f"http://127.0.0.1:{spotify_stub.port}/api/token"
    )
    spotify_stub.always["api/token"] = 400
    with pytest.raises(CorpusError, match="does not accept the credentials") as caught:
        SpotifyFeatures(cache=cache).look_up([("Dudu", "Tarkan")])
    assert "SPOTIPY_CLIENT_SECRET" in str(caught.value.hint)
    assert not (tmp_path / ".cache").exists()


def test_spotipy_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "spotipy", None)
    with pytest.raises(CorpusError) as caught:
        SpotifyFeatures(cache=cache)
    assert "geoclass[spotify]" in str(caught.value.hint)


def test_a_cache_of_a_newer_version_is_refused(cache: Path, spotify_stub: SpotifyStub) -> None:
    cache.parent.mkdir()
    cache.write_text(json.dumps({"format": "geoclass/spotify-cache", "version": 2}) + "\n")
    with pytest.raises(StorageError, match="not a cache of this version of geoclass"):
        SpotifyFeatures(cache=cache, client=spotify_stub.client())


def test_a_cache_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot write"):
        _append(tmp_path / "file/spotify.jsonl", {("a", "b"): NOT_FOUND})


@given(st.dictionaries(st.tuples(st.text(), st.text()), st.just(NOT_FOUND) | st.just(dict.fromkeys(SPOTIFY, 0.5))))
def test_the_cache_gives_back_what_was_put_in(
    tmp_path_factory: pytest.TempPathFactory, answers: dict[tuple[str, str], dict[str, float] | str]
) -> None:
    path = tmp_path_factory.mktemp("cache") / "c.jsonl"
    for pair, answer in answers.items():
        _append(path, {pair: answer})
    last = {(title.casefold(), artist.casefold()): answer for (title, artist), answer in answers.items()}
    assert _read_cache(path) == last


def test_mirage_with_spotify(tmp_path: Path, features: SpotifyFeatures, spotify_stub: SpotifyStub) -> None:
    events = [["Dudu", "Tarkan", "Turkey"], ["Lost", "Nobody", "Peru"], ["Sutera", "Aisha Retno", "Indonesia"]]
    write_csv(tmp_path / "MIRAGE.csv", [["track", "artist", "country"], *events])
    corpus = MIRAGE(tmp_path, spotify=features)
    found = list(corpus.tracks())
    assert [item.country if isinstance(item, Track) else item.reason for item in found] == ["TR", NOT_FOUND, "ID"]
    assert all(tuple(item.features or ()) == corpus.columns for item in found if isinstance(item, Track))
    asked = len(spotify_stub.requests)
    assert list(corpus.tracks()) == found
    assert len(spotify_stub.requests) == asked
    assert isinstance(found[1], Skipped)
