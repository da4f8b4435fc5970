"""build_dataset: complete, reproducible, resumable, honest about what it left out."""

import csv
import filecmp
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from geoclass.config.frontends import LogMelConfig
from geoclass.config.settings import BuildConfig
from geoclass.corpora.folder import Folder
from geoclass.dataset import extract as extraction
from geoclass.dataset.build import build_dataset
from geoclass.dataset.dataset import Dataset
from geoclass.dataset.extract import Extracted
from geoclass.dataset.select import select_tracks
from geoclass.dataset.store import FeatureWriter
from geoclass.errors import DatasetError, StorageError
from geoclass.features.registry import create_front_end

CONFIG = BuildConfig(segment_seconds=3.0, front_end=LogMelConfig(n_mels=16, n_fft=1024))


def assert_same_bytes(one: Path, other: Path) -> None:
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
    assert all(filecmp.cmp(one / name, other / name, shallow=False) for name in files)


@pytest.mark.parametrize("number", [0, 17, 60])
def test_what_is_stored_is_the_sound_where_it_says(small_dataset: Dataset, number: int) -> None:
    """The file read by soundfile and cut by hand: two segments of 3 s, one after the other."""
    import torch

    row = small_dataset.segments.iloc[number]
    assert row["start_s"] == (0.0, 3.0)[number % 2]
    track = small_dataset.tracks.set_index("track_id").loc[row["track_id"]]
    waveform, rate = soundfile.read(Path(small_dataset.document["audio_root"]) / track["path"], dtype="float32")
    assert rate == 22_050
    first = 66_150 * (number % 2)
    front_end = create_front_end(small_dataset.front_end)
    expected = front_end(torch.from_numpy(waveform[None, first : first + 66_150]))[0].numpy()
    np.testing.assert_allclose(small_dataset.features[number], expected, atol=0.05)
    late = front_end(torch.from_numpy(waveform[None, first + 2_205 : first + 2_205 + 66_150]))[0].numpy()
    assert late.shape != expected.shape or np.abs(late - expected).mean() > 1  # a tenth of a second later is not it


def test_splits_share_no_artist_and_cover_everything(small_dataset: Dataset) -> None:
    sides = [small_dataset.split(name) for name in ("train", "valid", "test")]
    artists = [set(side.tracks["artist_id"]) for side in sides]
    assert not artists[0] & artists[1] | artists[0] & artists[2] | artists[1] & artists[2]
    assert sum(len(side.segment_ids) for side in sides) == len(small_dataset.features)
    assert not small_dataset.leaky
    assert small_dataset.document["split"]["protocol"] == "artist-disjoint"


def test_targets_are_the_labels(small_dataset: Dataset) -> None:
    split = small_dataset.split("train")
    names = np.array(small_dataset.labels["country"])[split.targets("country")]
    assert names.tolist() == split.tracks["country"].tolist()


def test_normalization_is_that_of_the_training_split(small_dataset: Dataset) -> None:
    rows = small_dataset.features[small_dataset.split("train").segment_ids].astype(np.float64)
    np.testing.assert_allclose(small_dataset.mean, rows.mean(axis=(0, 2)), atol=1e-3)
    np.testing.assert_allclose(small_dataset.std, rows.std(axis=(0, 2)), atol=1e-3)


@pytest.mark.parametrize("workers", [1, 5])
def test_any_number_of_workers_gives_the_same_bytes(
    small_dataset: Dataset, music: Path, tmp_path: Path, workers: int
) -> None:
    again = build_dataset(Folder(music), out=tmp_path / "again", config=small_dataset.config, workers=workers)
    assert_same_bytes(small_dataset.folder, again.folder)


@pytest.mark.parametrize("stop_after", [1, 7, 44])
def test_an_interrupted_build_goes_on_and_gives_the_same_bytes(
    small_dataset: Dataset, music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_after: int
) -> None:
    extracted: list[str] = []
    whole = extraction.extract

    def stopping(job: extraction.Job, **settings: object) -> Extracted:
        if len(extracted) >= stop_after:
            raise KeyboardInterrupt
        extracted.append(job.track_id)
        return whole(job, **settings)

    monkeypatch.setattr(extraction, "extract", stopping)
    with pytest.raises(KeyboardInterrupt):
        build_dataset(Folder(music), out=tmp_path / "out", config=small_dataset.config, workers=1)
    with pytest.raises(DatasetError, match="unfinished"):
        Dataset.open(tmp_path / "out")
    log = next((tmp_path / "out").glob("features/*/progress.jsonl"))
    log.write_bytes(log.read_bytes() + b'{"track_id": "half a li')  # a crash in the middle of a line
    extracted.clear()
    monkeypatch.setattr(
        extraction, "extract", lambda job, **settings: extracted.append(job.track_id) or whole(job, **settings)
    )
    again = build_dataset(Folder(music), out=tmp_path / "out", config=small_dataset.config)
    assert len(extracted) <= 45 - stop_after + 1
    assert_same_bytes(small_dataset.folder, again.folder)


def test_rows_that_a_crash_lost_are_made_again(small_dataset: Dataset, music: Path, tmp_path: Path) -> None:
    writer = FeatureWriter(tmp_path, row_shape=(2, 3))
    for name in "abc":
        writer.append(Extracted(name, [0.0], [0.0], np.ones((1, 2, 3), np.float16)))
    writer.close()
    with open(tmp_path / "features.partial", "rb+") as file:
        file.truncate(128 + 2 * 12 + 5)  # the third row was not whole on the disk
    assert [line["track_id"] for line in FeatureWriter(tmp_path, row_shape=(2, 3)).done] == ["a", "b"]


def test_a_finished_data_set_is_left_alone_and_another_one_refused(small_dataset: Dataset, music: Path) -> None:
    before = (small_dataset.folder / "dataset.json").stat().st_mtime_ns
    build_dataset(Folder(music), out=small_dataset.folder, config=small_dataset.config)
    assert (small_dataset.folder / "dataset.json").stat().st_mtime_ns == before
    with pytest.raises(DatasetError, match="already holds another data set"):
        build_dataset(Folder(music), out=small_dataset.folder, config=CONFIG)


def test_damaged_files_are_skipped_each_with_its_reason(music: Path, tmp_path: Path) -> None:
    copy = tmp_path / "music"
    shutil.copytree(music, copy)
    songs = sorted(copy.rglob("*.mp3"))
    faults = {
        songs[0]: (b"", "empty"),
        songs[10]: (b"this is not audio\n" * 40, "not audio"),
        songs[20]: (songs[20].read_bytes()[:300], "damaged MP3"),
    }
    for path, (content, _) in faults.items():
        path.write_bytes(content)
    soundfile.write(songs[30], np.zeros(22_050, np.float32), 22_050, format="MP3")
    dataset = build_dataset(Folder(copy), out=tmp_path / "out", config=CONFIG)
    with open(tmp_path / "out" / "skipped.csv", newline="", encoding="utf-8") as file:
        reasons = {row["path"]: row["reason"] for row in csv.DictReader(file)}
    assert set(reasons) == {path.relative_to(copy).as_posix() for path in (*faults, songs[30])}
    for path, (_, expected) in faults.items():
        assert expected in reasons[path.relative_to(copy).as_posix()]
    assert "too short: 1." in reasons[songs[30].relative_to(copy).as_posix()]
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["read"] == 45
    assert sum(summary["skipped"].values()) == 4
    assert len(dataset.tracks) == 41


def test_the_leaky_protocol_puts_a_track_on_several_sides_and_says_so(music: Path, tmp_path: Path) -> None:
    dataset = build_dataset(Folder(music), out=tmp_path / "out", config=replace(CONFIG, group="segment"))
    train, test = (set(dataset.split(name).tracks["track_id"]) for name in ("train", "test"))
    assert train & test
    assert dataset.leaky
    assert dataset.document["split"]["protocol"] == "leaky"


def test_pitch_shift_adds_copies_to_the_training_split_only(music: Path, tmp_path: Path) -> None:
    plain = build_dataset(Folder(music), out=tmp_path / "plain", config=CONFIG)
    shifted = build_dataset(Folder(music), out=tmp_path / "shifted", config=replace(CONFIG, pitch_shift=2.0))
    assert len(shifted.split("train").segment_ids) == 3 * len(plain.split("train").segment_ids)
    assert len(shifted.split("test").segment_ids) == len(plain.split("test").segment_ids)
    assert set(shifted.segments["shift"]) == {0.0, 2.0, -2.0}
    track = shifted.segments[shifted.segments["shift"] != 0].iloc[0]["track_id"]
    rows = {
        s: shifted.features[i]
        for i, (t, s) in enumerate(zip(shifted.segments["track_id"], shifted.segments["shift"], strict=True))
        if t == track
    }
    assert np.abs(rows[0.0].astype(float) - rows[2.0].astype(float)).mean() > 1


def test_balance_by_segments_marks_the_surplus_unused(music: Path, tmp_path: Path) -> None:
    copy = tmp_path / "music"
    shutil.copytree(music, copy)
    for path in sorted((copy / "TR").rglob("song [23].mp3")):
        path.unlink()
    dataset = build_dataset(Folder(copy), out=tmp_path / "out", config=replace(CONFIG, balance="segments"))
    split = dataset.split("train")
    counts = np.bincount(split.targets("country")[split.track_of_segment])
    assert len(set(counts)) == 1
    assert (dataset.segments["split"] == "unused").sum() > 0


def test_one_country_is_nothing_to_tell_apart(music: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="1 country label left: TR"):
        build_dataset(Folder(music), out=tmp_path / "out", config=replace(CONFIG, countries=("TR",)))
    assert not (tmp_path / "out" / "dataset.json").exists()


def test_a_country_that_is_not_there_is_named(music: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no track is from FR"):
        build_dataset(Folder(music), out=tmp_path / "out", config=replace(CONFIG, countries=("TR", "FR")))


def test_a_changed_data_set_does_not_verify(small_dataset: Dataset, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(small_dataset.folder, copy)
    Dataset.open(copy).verify()
    tracks = copy / "tracks.csv"
    tracks.write_text(tracks.read_text().replace("artist 1", "artist 2"))
    with pytest.raises(DatasetError, match="was changed"):
        Dataset.open(copy).verify()


def test_a_newer_data_set_is_refused(small_dataset: Dataset, tmp_path: Path) -> None:
    document = json.loads((small_dataset.folder / "dataset.json").read_text())
    (tmp_path / "dataset.json").write_text(json.dumps(document | {"version": 2}))
    with pytest.raises(DatasetError, match="version 2") as caught:
        Dataset.open(tmp_path)
    assert "upgrade" in (caught.value.hint or "")


def test_a_full_disk_ends_in_one_error_and_a_resumable_data_set(tmp_path: Path) -> None:
    writer = FeatureWriter(tmp_path, row_shape=(2, 3))

    class Full:
        def write(self, _: bytes) -> int:
            raise OSError(28, "No space left on device")

    rows = writer._rows
    writer._rows = Full()  # type: ignore[assignment]
    with pytest.raises(StorageError, match="No space left") as caught:
        writer.append(Extracted("a", [0.0], [0.0], np.ones((1, 2, 3), np.float16)))
    assert "continues from here" in (caught.value.hint or "")
    rows.close()
    assert FeatureWriter(tmp_path, row_shape=(2, 3)).done == []


def test_progress_covers_reading_and_extracting(music: Path, tmp_path: Path) -> None:
    class Repeated(Folder):
        """A corpus that lists its tracks many times over, as a large one would."""

        def tracks(self):  # type: ignore[no-untyped-def]
            listed = list(super().tracks())
            for number in range(2_000 // len(listed) + 1):
                yield from (track._replace(track_id=f"{track.track_id}-{number}") for track in listed)

    notes: list[str] = []
    select_tracks(
        Repeated(music), config=BuildConfig(), progress=lambda n, *, note=None, total=None: notes.append(note)
    )
    assert notes == ["1,000 tracks read", "2,000 tracks read", ""]
    steps: list[tuple[int, int | None]] = []
    dataset = build_dataset(
        Folder(music), out=tmp_path / "out", config=CONFIG,
        progress=lambda n=1, *, note=None, total=None: steps.append((n, total)),
    )  # fmt: skip
    assert sum(n for n, _ in steps) == len(dataset.tracks)
    assert max(total or 0 for _, total in steps) == len(dataset.tracks)
