"""The honest score beside the leaky one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from geoclass.dataset.dataset import Dataset
from geoclass.evaluation.leaks import leak_report
from geoclass.evaluation.report import evaluate

Make = Callable[..., Any]
RIGHT, WRONG = "right", "wrong"


def track(
    name: str, split: str, heard: str = RIGHT, *, country: str = "FR", row: float = 0.0, **more: str
) -> dict[str, Any]:
    """A track that an Echo over FR and DE hears right or wrong; tracks with the same `row` sound the same."""
    strong = 4.0 + (row or int(name) / 7)
    features = [strong, 1.0] if (country == "FR") == (heard == RIGHT) else [1.0, strong]
    fields = {"path": f"{name}.mp3", "artist_id": "", "artist": "", "album": "", "title": ""}
    return {"track_id": name, "country": country, "split": split, "rows": [features]} | fields | more


def rows_of(
    make_echo: Make, write_dataset: Make, tracks: list[dict[str, Any]], *, group: str = "artist"
) -> tuple[dict[str, tuple[int, float | None]], str]:
    dataset: Dataset = write_dataset(tracks, labels={"country": ("FR", "DE")}, group=group)
    report = evaluate(make_echo({"country": ("FR", "DE")}), dataset=dataset, bootstrap=0).tasks["country"]
    found = leak_report(dataset, report, split="test")
    assert found.task == "country"
    assert found.audit.group == dataset.group
    return {row.tracks: (row.n_tracks, row.accuracy) for row in found.rows}, found.advice


ALL, HONEST = "all (as reported)", "none of these (honest)"


def test_each_way_of_meeting_a_track_is_counted_and_left_out(make_echo: Make, write_dataset: Make) -> None:
    rows, advice = rows_of(make_echo, write_dataset, [
        track("1", "train", artist_id="x", artist="Xavier", album="First"),
        track("2", "train", country="DE", row=3.25),
        track("3", "test", artist_id="x"),  # its artist
        track("4", "test", artist_id="y", artist="Xavier", album="FIRST!"),  # its artist by name, its album
        track("5", "test", country="DE", row=3.25),  # the same sound
        track("6", "test", WRONG),
        track("7", "test", country="DE"),
        track("8", "test", WRONG, country="DE"),
    ])  # fmt: skip
    assert rows[ALL] == (6, pytest.approx(4 / 6))
    assert rows["artist in the training split"] == (2, 1.0)
    assert rows["album in the training split"] == (1, 1.0)
    assert rows["sound in the training split"] == (1, 1.0)
    assert rows["recording in the training split"] == (0, None)
    assert rows[HONEST] == (3, pytest.approx(1 / 3))
    assert advice == "" or "--group artist" in advice


def test_only_training_counts_and_only_for_the_split_that_is_scored(make_echo: Make, write_dataset: Make) -> None:
    rows, _ = rows_of(make_echo, write_dataset, [
        track("1", "train", artist_id="x", row=2.0),
        track("2", "valid", artist_id="y", country="DE", row=3.0),
        track("3", "valid", artist_id="x", row=2.0),
        track("4", "test", artist_id="y", country="DE", row=3.0),
        track("5", "test", WRONG, artist_id="z"),
    ])  # fmt: skip
    assert rows["artist in the training split"] == (0, None)
    assert rows["sound in the training split"] == (0, None)
    assert rows[HONEST] == (2, 0.5)


def test_a_copy_is_sound_whatever_it_is_called(make_echo: Make, write_dataset: Make) -> None:
    """Copies count on their own: neither names nor ids agree."""
    rows, _ = rows_of(make_echo, write_dataset, [
        track("1", "train", artist_id="a", artist="Ann", row=2.5),
        track("2", "test", artist_id="b", artist="Bob", row=2.5),
        track("3", "test", WRONG, artist_id="c", artist="Cy", country="DE"),
        track("4", "test", artist_id="d", artist="Di", country="DE"),
    ])  # fmt: skip
    assert rows["sound in the training split"] == (1, 1.0)
    assert rows[HONEST] == (2, 0.5)


@pytest.mark.parametrize("group", ["artist", "track"])
def test_the_advice_asks_for_artists_kept_apart(make_echo: Make, write_dataset: Make, group: str) -> None:
    tracks = [
        track("1", "train", artist_id="x"),
        track("2", "test", artist_id="x"),
        track("3", "test", WRONG, country="DE", artist_id="x"),
    ]
    rows, advice = rows_of(make_echo, write_dataset, tracks, group=group)
    assert rows[HONEST] == (0, None)
    assert "there is no honest score on this data set" in advice
    assert "--group artist" in advice


def test_what_is_left_of_a_leaky_split_is_named_odd(make_echo: Make, write_dataset: Make) -> None:
    tracks = [
        track("1", "train", artist_id="x"), track("2", "test", artist_id="x"),
        track("3", "test", country="DE", artist_id="y"), track("4", "test", WRONG, artist_id="z"),
    ]  # fmt: skip
    rows, advice = rows_of(make_echo, write_dataset, tracks, group="track")
    assert rows[HONEST] == (2, 0.5)
    assert "unrepresentative part" in advice
    tracks[1] |= {"artist_id": "w"}
    assert rows_of(make_echo, lambda *a, **k: write_dataset(*a, **k, name="clean"), tracks)[1] == ""


def test_segments_of_one_recording_on_both_sides_leave_nothing_honest(make_echo: Make, write_dataset: Make) -> None:
    dataset: Dataset = write_dataset(
        [track("1", "train"), track("2", "test"), track("3", "test", country="DE")],
        labels={"country": ("FR", "DE")},
        group="segment",
    )
    features, segments = dataset.features, dataset.segments.copy()
    segments.loc[len(segments)] = ["2", 5.0, 0.0, "train"]
    dataset.segments, dataset.features = segments, np.concatenate([features, [[9.0, 9.0]]]).astype(np.float32)
    report = evaluate(make_echo({"country": ("FR", "DE")}), dataset=dataset, bootstrap=0).tasks["country"]
    rows = {row.tracks: row.n_tracks for row in leak_report(dataset, report, split="test").rows}
    assert rows["recording in the training split"] == 1
    assert rows[HONEST] == 1
