"""What a data set is built from: which label wins, which labels stay, and why the others do not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from geoclass.config.settings import BuildConfig
from geoclass.corpora.base import Skipped, Track
from geoclass.dataset.select import choose_labels, labels_of, reason_kind, resolve_countries, select_tracks
from geoclass.errors import DatasetError
from geoclass.geo.places import Gazetteer, Place

PARIS, ISTANBUL, ATLANTIC = (48.857, 2.352), (41.014, 28.950), (30.0, -40.0)


@dataclass
class Listed:
    """A corpus of given tracks."""

    items: Sequence[Track | Skipped]
    name: str = "listed"
    tasks: tuple[str, ...] = ("country", "genre")
    audio_root: Path | None = None
    description: str = "tracks as given"
    columns: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    def tracks(self) -> Iterator[Track | Skipped]:
        yield from self.items


def place(number: int, **known: object) -> Track:
    return Track(track_id=f"t{number:03d}", path=f"{number}.mp3", **known)  # type: ignore[arg-type]


def point(at: tuple[float, float]) -> dict[str, float]:
    return {"latitude": at[0], "longitude": at[1]}


def located(track: Track) -> Track | Skipped:
    (found,) = resolve_countries([track], Gazetteer())
    return found


def countries(**numbers: int) -> list[Track]:
    return [
        place(100 * row + n, country=code) for row, (code, count) in enumerate(numbers.items()) for n in range(count)
    ]


# ---- where a country comes from ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "country"),
    [
        ({"country": "BR", **point(PARIS), "place": "Istanbul"}, "BR"),  # what the corpus says counts
        ({**point(PARIS), "place": "Istanbul"}, "FR"),  # then the coordinates
        ({**point(ATLANTIC), "place": "Istanbul"}, "TR"),  # then the place: here the coordinates say nothing
        ({"place": "Istanbul"}, "TR"),
        ({"latitude": 0.0, "longitude": 0.0, "place": "Istanbul"}, "TR"),  # how databases write "unknown"
    ],
)
def test_the_corpus_comes_before_coordinates_and_they_before_the_place(known: dict[str, object], country: str) -> None:
    found = located(place(1, **known))
    assert isinstance(found, Track)
    assert found.country == country


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        ({"place": "Middle Earth"}, "place not found: 'Middle Earth'"),
        ({"place": "Middle Earth", **point(ATLANTIC)}, "place not found: 'Middle Earth'"),
        (point(ATLANTIC), "coordinates in no country: 30.0, -40.0"),
        ({}, "no coordinates and no place"),
    ],
)
def test_a_track_without_a_country_is_skipped_with_the_reason(known: dict[str, object], reason: str) -> None:
    assert located(place(1, **known)) == Skipped(track_id="t001", path="1.mp3", reason=reason)


def test_a_place_gives_its_point_where_the_corpus_has_none() -> None:
    found = located(place(1, place="Istanbul"))
    assert isinstance(found, Track)
    assert (found.latitude, found.longitude) == pytest.approx(ISTANBUL, abs=0.1)
    found = located(place(1, place="Istanbul", **point(ATLANTIC)))
    assert isinstance(found, Track)
    assert (found.latitude, found.longitude) == ATLANTIC  # what the corpus says of the point stays


def test_each_place_is_asked_for_once() -> None:
    asked: list[str] = []

    class Counting:
        def locate(self, text: str) -> Place | None:
            asked.append(text)
            return Place(latitude=1.0, longitude=2.0, country="TR", name=text) if text != "nowhere" else None

    tracks = [place(n, place=("here", "there", "nowhere")[n % 3]) for n in range(30)]
    found = list(resolve_countries(tracks, Counting()))
    assert sorted(asked) == ["here", "nowhere", "there"]
    assert [item.track_id for item in found] == [track.track_id for track in tracks]
    assert [isinstance(item, Track) for item in found] == [True, True, False] * 10


def test_a_point_on_the_equator_or_the_meridian_is_a_point() -> None:
    quito_east = located(place(1, latitude=0.0, longitude=36.0, place="Istanbul"))  # Kenya
    greenwich = located(place(1, latitude=51.5, longitude=0.0, place="Istanbul"))
    assert [item.country for item in (quito_east, greenwich) if isinstance(item, Track)] == ["KE", "GB"]


# ---- which labels stay ---------------------------------------------------------------------------------------------


def test_labels_with_fewer_tracks_than_min_tracks_are_left_out() -> None:
    tracks = countries(TR=3, FR=2, VN=4)
    assert choose_labels(tracks, "country", config=BuildConfig(min_tracks=3)) == ("TR", "VN")
    assert choose_labels(tracks, "country", config=BuildConfig(min_tracks=2)) == ("FR", "TR", "VN")
    assert choose_labels(tracks, "country", config=BuildConfig(min_tracks=5)) == ()


def test_the_top_countries_are_those_with_most_tracks_and_ties_go_by_code() -> None:
    tracks = countries(TR=3, FR=5, VN=4, AR=3)
    assert choose_labels(tracks, "country", config=BuildConfig(top_countries=2)) == ("FR", "VN")
    assert choose_labels(tracks, "country", config=BuildConfig(top_countries=3)) == ("AR", "FR", "VN")
    assert choose_labels(tracks, "country", config=BuildConfig(top_countries=9)) == ("AR", "FR", "TR", "VN")


def test_named_countries_are_kept_and_need_min_tracks_too() -> None:
    tracks = countries(TR=3, FR=5, VN=1)
    assert choose_labels(tracks, "country", config=BuildConfig(countries=("VN", "TR"))) == ("TR",)
    assert choose_labels(tracks, "country", config=BuildConfig(countries=("VN", "TR"), min_tracks=1)) == ("TR", "VN")
    with pytest.raises(DatasetError, match=r"^no track is from DE, IT$") as caught:
        choose_labels(tracks, "country", config=BuildConfig(countries=("DE", "TR", "IT")))
    assert caught.value.hint == "the countries with the most tracks are FR (5), TR (3), VN (1)"


def test_countries_do_not_narrow_genres() -> None:
    tracks = [place(n, country="TR", genre=("Folk", "Rock", "Jazz")[n % 3]) for n in range(9)]
    config = BuildConfig(task="country,genre", countries=("TR",), min_tracks=3)
    assert choose_labels(tracks, "genre", config=config) == ("Folk", "Jazz", "Rock")
    assert choose_labels(tracks, "genre", config=BuildConfig(task="genre", top_countries=2)) == ("Folk", "Jazz", "Rock")


def test_the_labels_of_a_track() -> None:
    track = place(1, country="TR", genre="Folk", genres=("Folk", "Rock"))
    assert labels_of(track, "country") == ("TR",)
    assert labels_of(track, "country", multi_label=True) == ("TR",)
    assert labels_of(track, "genre") == ("Folk",)
    assert labels_of(track, "genre", multi_label=True) == ("Folk", "Rock")
    assert labels_of(place(2), "genre") == labels_of(place(2), "country") == ()


# ---- all together ----------------------------------------------------------------------------------------------


def test_what_a_corpus_lists_is_kept_or_skipped_by_name() -> None:
    kept = [place(n, country=("TR", "FR")[n % 2], artist_id=str(n)) for n in range(8)]
    items = [
        *reversed(kept),
        place(20, country="VN"),
        place(21, place="Middle Earth", artist_id="lost"),
        place(22, artist_id="1"),  # an artist with a place elsewhere
        place(23),
        Skipped(track_id="a", path="a.mp3", reason="audio file is missing"),
    ]
    found = select_tracks(Listed(items), config=BuildConfig())  # type: ignore[arg-type]
    assert found.tracks == kept
    assert [(item.track_id, item.reason) for item in found.skipped] == [
        ("a", "audio file is missing"),
        ("t020", "country not among the labels: VN"),
        ("t021", "place not found: 'Middle Earth'"),
        ("t022", "no coordinates and no place"),
        ("t023", "no coordinates and no place"),
    ]
    assert found.labels == {"country": ("FR", "TR")}
    assert (found.n_read, found.n_labelled, found.artists_without_place) == (13, 9, 2)


def test_two_tasks_need_both_labels() -> None:
    items = [
        place(n, country=("TR", "FR")[n % 2], genre=("Folk", "Rock")[n // 2 % 2] if n < 8 else "") for n in range(10)
    ]
    found = select_tracks(Listed(items), config=BuildConfig(task="country,genre"))  # type: ignore[arg-type]
    assert len(found.tracks) == 8
    assert found.labels == {"country": ("FR", "TR"), "genre": ("Folk", "Rock")}
    assert {item.reason for item in found.skipped} == {"no genre"}
    assert found.n_labelled == 8


def test_genres_alone_need_no_place() -> None:
    items = [place(n, genre=("Folk", "Rock")[n % 2]) for n in range(8)]
    found = select_tracks(Listed(items), config=BuildConfig(task="genre"))  # type: ignore[arg-type]
    assert len(found.tracks) == 8
    assert found.artists_without_place == 0


def test_several_genres_count_each() -> None:
    items = [place(n, genres=("Folk", ("Rock", "Jazz")[n % 2]), genre="") for n in range(8)]
    found = select_tracks(Listed(items), config=BuildConfig(task="genre", multi_label=True))  # type: ignore[arg-type]
    assert found.labels == {"genre": ("Folk", "Jazz", "Rock")}
    with pytest.raises(DatasetError, match="0 genre"):
        select_tracks(Listed(items), config=BuildConfig(task="genre"))  # type: ignore[arg-type]


def test_a_track_whose_labels_are_all_left_out_is_skipped_and_one_label_is_enough() -> None:
    items = [place(n, genres=("Folk", "Rock")[: 1 + n % 2]) for n in range(8)] + [place(9, genres=("Noise", "Drone"))]
    found = select_tracks(Listed(items), config=BuildConfig(task="genre", multi_label=True))  # type: ignore[arg-type]
    assert len(found.tracks) == 8
    assert [item.reason for item in found.skipped] == ["genre not among the labels: Noise, Drone"]


def test_one_label_is_nothing_to_tell_apart() -> None:
    items = [*countries(TR=4, FR=1), place(900, place="Middle Earth"), place(901, place="Mordor"), place(902)]
    with pytest.raises(DatasetError, match="8 tracks read, 5 labelled, 1 country label left: TR") as caught:
        select_tracks(Listed(items), config=BuildConfig())  # type: ignore[arg-type]
    hint = caught.value.hint or ""
    assert "--min-tracks" in hint
    assert "place not found (2), no coordinates and no place (1), country not among the labels (1)" in hint


def test_reasons_are_counted_without_their_particulars() -> None:
    assert reason_kind("place not found: 'Mars: the moon'") == "place not found"
    assert reason_kind("no genre") == "no genre"
