"""One row per input, in input order, whatever the input; tables are read as they are asked."""

import csv
import io
import json
import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from geoclass.bundle.bundle import Bundle
from geoclass.bundle.heads import Head
from geoclass.cli.app import app
from geoclass.config.frontends import TableConfig
from geoclass.errors import ModelError, UsageError
from geoclass.inference.prediction import Failure
from geoclass.inference.table import predict_table
from geoclass.library.predict import predict
from geoclass.models.registry import create_model
from geoclass.training.run import TrainResult

COLUMNS = ("c1", "c2", "c3", "c4")
LABELS = ("TR", "GR", "US", "ZZ")
Table = Callable[..., Path]


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["predict", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that reads four numbers."""
    torch.manual_seed(0)
    front_end = TableConfig(columns=COLUMNS)
    bundle = Bundle(
        name="table", release="1", model=create_model("fcnn", n_classes=4, front_end=front_end),
        front_end_config=front_end, segment_seconds=0.0, mean=np.array([1, 2, 3, 4], np.float32),
        std=np.array([1, 2, 1, 2], np.float32),
        heads=(Head(task="country", kind="single", labels=LABELS, temperature=2.0, threshold=0.9),),
    )  # fmt: skip
    return bundle.save(tmp_path_factory.mktemp("model") / "table")


@pytest.fixture(scope="module")
def numbers() -> np.ndarray:
    return np.random.default_rng(0).normal(2, 2, (5000, 4)).astype(np.float32)


def write_csv(path: Path, numbers: np.ndarray, columns: tuple[str, ...] = COLUMNS) -> Path:
    lines = [",".join(columns), *(",".join(map(repr, row)) for row in numbers.tolist())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def by_hand(model: Path, numbers: np.ndarray) -> np.ndarray:
    """(n, 4) probabilities: normalize, the network, softmax at the temperature."""
    bundle = Bundle.load(model)
    x = (torch.from_numpy(numbers) - torch.tensor([1.0, 2, 3, 4])) / torch.tensor([1.0, 2, 1, 2])
    with torch.inference_mode():
        return torch.softmax(bundle.model(x) / 2, dim=1).numpy()


def test_every_row_of_a_table_gets_its_probabilities(model: Path, numbers: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", numbers)
    shuffled = write_csv(tmp_path / "b.csv", numbers[:, [2, 0, 3, 1]], ("c3", "c1", "c4", "c2"))
    expected = by_hand(model, numbers)
    for table in (tmp_path / "a.npy", shuffled):
        answers = list(predict_table(Bundle.load(model), table))
        assert [answer.number for answer in answers] == list(range(1, 5001))
        found = np.stack([answer.answer.fields["country"].probabilities for answer in answers])
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_candidates_are_the_best_ones_and_never_the_outside_class(model, numbers, tmp_path) -> None:
    table = write_csv(tmp_path / "t.csv", numbers[:50])
    code, out, err = run(table, "--model", model, "--top", 2)
    assert code == 0, err
    expected = by_hand(model, numbers[:50])[:, :3]
    for row, probabilities in zip(rows_of(out), expected, strict=True):
        order = np.argsort(-probabilities)
        assert [row["country_1"], row["country_2"]] == [LABELS[index] for index in order[:2]]
        assert float(row["country_1_probability"]) == pytest.approx(probabilities[order[0]], abs=2e-6)
        assert "country_3" not in row


def test_bad_rows_are_rows_with_their_reason(model: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text(
        'track,c1,c2,c3,c4\ngood,1,2,3,4\n"odd, é",1,x,3,4\nshort,1,2\nempty,1,,3,4\nnan,1,2,nan,4\nhuge,1,2,3,1e300\n'
        "\nlong,1,2,3,4,5\nlast,4,3,2,1\n",
        encoding="utf-8",
    )
    code, out, err = run(table, "--model", model, "--name-column", "track")
    assert code == 1, err
    rows = rows_of(out)
    assert [row["row"] for row in rows] == [str(number) for number in range(1, 9)]
    assert [row["name"] for row in rows] == ["good", "odd, é", "short", "empty", "nan", "huge", "long", "last"]
    assert [bool(row["error"]) for row in rows] == [False, *[True] * 6, False]
    assert rows[1]["error"] == "c2: not a number: 'x'"
    assert rows[2]["error"] == "expected 5 fields, found 3"
    assert rows[4]["error"] == "c3: not a finite number"
    assert rows[5]["error"] == "c4: not a finite number"
    expected = by_hand(model, np.array([[1, 2, 3, 4], [4, 3, 2, 1]], np.float32))[:, :3].max(axis=1)
    assert [float(rows[at]["country_1_probability"]) for at in (0, 7)] == pytest.approx(expected, abs=2e-6)
    assert rows[1]["country_1"] == ""


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.csv", b"c1,c2,c4\n1,2,3\n", "1 of 4 columns are missing: c3"),
        ("x.csv", b"", "4 of 4 columns are missing"),
        ("x.npy", b"not numpy", ""),
        ("x.npy", None, "expected numbers of shape (n, 4), found float64 of shape (3, 5)"),
        ("none.csv", None, "No such file"),
    ],
)
def test_a_table_that_does_not_fit_is_one_row_and_the_rest_goes_on(model, tmp_path, name, content, reason) -> None:
    good = write_csv(tmp_path / "good.csv", np.ones((2, 4)))
    if content is not None:
        (tmp_path / name).write_bytes(content)
    elif name == "x.npy":
        np.save(tmp_path / name, np.zeros((3, 5)))
    code, out, _ = run(tmp_path / name, good, "--model", model)
    assert code == 1
    first, *others = rows_of(out)
    assert reason in first["error"]
    assert [row["row"] for row in others] == ["1", "2"]


def test_a_pickle_in_an_npy_is_never_opened(model: Path, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "exploded"),)

    np.save(tmp_path / "x.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    (answer,) = predict([tmp_path / "x.npy"], bundles=Bundle.load(model))
    assert isinstance(answer.prediction, Failure)
    assert not (tmp_path / "exploded").exists()


def test_embeddings_stand_in_the_order_of_the_rows(model: Path, numbers: np.ndarray, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", numbers[:3000])
    with table.open("a") as file:
        file.write("1,2,3,x\n")
    code, _, err = run(
        table, "--model", model, "--out", tmp_path / "p.csv", "--embeddings", tmp_path / "e.npy"
    )  # fmt: skip
    assert code == 1, err
    found = np.load(tmp_path / "e.npy")
    bundle = Bundle.load(model)
    with torch.inference_mode():
        expected = bundle.model.embed(bundle.normalize(torch.from_numpy(numbers[:3000]))).numpy()
    assert found.dtype == np.float32
    assert found.shape == (3001, bundle.model.embedding_dim)
    np.testing.assert_allclose(found[:3000], expected, atol=1e-5)
    assert np.isnan(found[3000]).all()
    with torch.inference_mode():
        logits = bundle.model.classify(torch.from_numpy(found[:50]))
    np.testing.assert_allclose(torch.softmax(logits / 2, 1).numpy(), by_hand(model, numbers[:50]), atol=1e-5)


def test_sound_files_and_folders_in_input_order(small_run: TrainResult, music: Path, tmp_path: Path) -> None:
    bad = tmp_path / os.fsdecode(b"caf\xe9.mp3")
    bad.write_bytes(b"no sound")
    first, *rest = sorted(music.rglob("*.*"))
    files = [path for path in (first, *rest) if path.suffix in (".mp3", ".flac", ".ogg", ".wav")]
    last, folder = files[-1], files[0].parent
    out, vectors = tmp_path / "p.jsonl", tmp_path / "e.npy"
    code, _, err = run(
        last, bad, folder, "--model", small_run.run_dir, "--device", "cpu", "--out", out, "--embeddings", vectors
    )
    assert code == 1, err
    documents = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    inside = [str(path) for path in files if folder in path.parents]
    assert [document["input"] for document in documents] == [str(last), str(bad), *inside]
    assert documents[1]["error"]
    assert documents[1]["fields"] == {"country": []}
    assert all(not document["error"] for index, document in enumerate(documents) if index != 1)

    from geoclass.inference.classifier import Classifier

    alone = Classifier(Bundle.load(small_run.run_dir)).predict(last).fields["country"].candidates
    assert [label for label, _ in documents[0]["fields"]["country"]] == [label for label, _ in alone[:5]]
    found = np.load(vectors)
    assert len(found) == len(documents)
    assert np.isfinite(np.delete(found, 1, axis=0)).all()


def test_from_python_it_is_a_stream(model: Path, tmp_path: Path) -> None:
    def inputs() -> Iterator[Path]:
        yield write_csv(tmp_path / "t.csv", np.ones((3, 4)))

    answers = predict(inputs(), bundles=Bundle.load(model))
    assert next(answers).row == 1
    assert [answer.row for answer in answers] == [2, 3]


def test_memory_does_not_grow_with_the_rows(model: Path, tmp_path: Path) -> None:
    bundle = Bundle.load(model)
    np.save(tmp_path / "t.npy", np.zeros((60_000, 4), np.float32))
    tracemalloc.start()  # the memory of the process is that of other tests, too
    try:
        rows = predict_table(bundle, tmp_path / "t.npy")
        used = [tracemalloc.get_traced_memory()[0] for row in rows if row.number % 20_000 == 0]
    finally:
        tracemalloc.stop()
    assert used[-1] - used[0] < 10e6


def test_what_does_not_go_together_is_said_before_anything_is_read(model: Path, small_run, tmp_path: Path) -> None:
    table = write_csv(tmp_path / "t.csv", np.ones((1, 4)))
    with pytest.raises(UsageError, match="reads tables, not sound"):
        predict([tmp_path / "x.mp3"], bundles=Bundle.load(model))
    with pytest.raises(UsageError, match="tables need one model"):
        predict([table], bundles=[Bundle.load(model), Bundle.load(small_run.run_dir)])
    with pytest.raises(UsageError, match=r"gone\.csv does not exist"):
        predict([table, tmp_path / "gone.csv"], bundles=[Bundle.load(model), Bundle.load(small_run.run_dir)])
    with pytest.raises(ModelError, match="reads sound, not tables"):
        next(predict_table(Bundle.load(small_run.run_dir), table))
    precious = tmp_path / "precious.csv"
    precious.write_text("my,own\n1,2\n")
    code, _, err = run(table, "--model", model, "--out", precious)
    assert code == 2
    assert precious.read_text() == "my,own\n1,2\n"
    for _ in range(2):
        code, _, err = run(table, "--model", model, "--out", tmp_path / "p.csv")
        assert code == 0, err
    (tmp_path / "e.npy").write_bytes(b"mine")
    code, _, err = run(table, "--model", model, "--out", tmp_path / "p.csv", "--embeddings", tmp_path / "e.npy")
    assert code == 3
    assert (tmp_path / "e.npy").read_bytes() == b"mine"
    (tmp_path / "empty").mkdir()
    code, _, err = run(tmp_path / "empty")
    assert code == 2
    assert "no sound files" in err
