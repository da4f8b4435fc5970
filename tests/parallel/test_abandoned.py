"""A run that fails or is left half-way ends soon, whoever still refers to it. The models are the built-in ones."""

import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from geoclass.inference.classifier import Classifier
from geoclass.parallel.device import on_one_thread
from geoclass.parallel.threads import closing_source, is_work_left, ordered_map
from geoclass.training.run import TrainResult

LIMIT_S = 60  # a process that hangs, hangs for ever


def python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own; its memory of the last loop is never collected."""
    line = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=LIMIT_S, check=False)


def songs(music: Path) -> list[Path]:
    return sorted(music.rglob("*.mp3"))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a folder that refuses files to root too")
def test_a_journal_that_cannot_be_written_ends_the_command(music: Path) -> None:
    line = [sys.executable, "-m", "geoclass", "tag", str(music), "--min-confidence", "0", "--journal", "/proc/x/j"]
    for _ in range(6):
        done = subprocess.run(line, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        assert done.returncode == 3, done.stderr
        assert done.stderr.startswith("error: cannot write the journal")


def test_predictions_left_half_way_do_not_hold_or_abort_the_process(music: Path) -> None:
    code = """
        import sys
        from geoclass.bundle.bundle import Bundle
        from geoclass.inference.classifier import Classifier
        from geoclass.bundle.catalogue import BUILTIN

        bundles = [Bundle.load(file.parent) for file in sorted(BUILTIN.glob("*/bundle.json"))]
        answers = Classifier(bundles, workers=2).predict_many(sys.argv[1:])
        kept = [next(answers)]
        print("left")
        {ending}
    """
    for ending, code_of_exit in (("pass", 0), ("raise SystemExit(5)", 5), ("raise ValueError", 1)):
        done = python(code.replace("{ending}", ending), *songs(music))
        assert (done.returncode, done.stdout) == (code_of_exit, "left\n"), done.stderr


def test_a_thread_that_never_ends_does_not_hold_the_command(tmp_path: Path) -> None:
    """`os._exit` with the command's own code, as torch would not let the interpreter go."""
    code = """
        import threading
        import typer
        from geoclass.cli import app
        from geoclass.parallel import threads
        from geoclass.parallel.threads import ordered_map

        threads._PATIENCE_AT_EXIT_S = 1e6

        def command() -> None:
            begun = threading.Event()

            def work(number: int) -> int:
                if number:
                    begun.set()
                    threading.Event().wait()
                return number

            results = ordered_map(work, range(9), patience_s=0.1)
            next(results)
            begun.wait()
            results.close()
            print("closed")
            raise typer.Exit(3)

        app.app = typer.Typer()
        app.app.command()(command)
        app.main()
    """
    done = python(code)
    assert (done.returncode, done.stdout) == (3, "closed\n"), done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_a_run_of_the_built_in_models(music: Path) -> None:
    # A shell that runs tests in the background has its children ignore Ctrl-C.
    listen = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    line = [
        sys.executable,
        "-uc",
        f"{listen}; from geoclass.cli.app import main; main()",
        "tag",
        str(music),
        "--dry-run",
    ]
    with subprocess.Popen(
        [*line, "tag", str(music), "--dry-run"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=LIMIT_S) == 130
        assert "error: interrupted" in process.stderr.read()


def test_the_source_is_closed_although_a_traceback_refers_to_it() -> None:
    closed: list[str] = []

    def source() -> Iterator[int]:
        try:
            yield from range(100)
        finally:
            closed.append("source")

    def fail(number: int) -> int:
        raise ValueError(number)

    items = source()
    with pytest.raises(ValueError, match="0"):
        list(ordered_map(fail, items, workers=2))
    assert closed == ["source"]


def test_what_can_be_read_on_is_not_closed() -> None:
    numbers = iter(range(10))
    with closing_source(numbers) as source:
        assert next(source) == 0
    assert next(numbers) == 1, "an iterator without anything to close"


def test_closing_waits_as_long_as_patience_lasts() -> None:
    begun, end = threading.Event(), threading.Event()

    def work(number: int) -> int:
        if number:
            begun.set()
            end.wait()
        return number

    results = ordered_map(work, range(4), workers=2, patience_s=0.05)
    assert next(results) == 0
    begun.wait()
    results.close()  # type: ignore[attr-defined]
    assert is_work_left()
    end.set()
    for thread in threading.enumerate():
        if thread.name == "geoclass":
            thread.join()
    assert not is_work_left()


def test_predict_many_closes_its_threads_and_its_source(small_run: TrainResult, music: Path) -> None:
    closed: list[str] = []

    def paths() -> Iterator[Path]:
        try:
            yield from songs(music)
        finally:
            closed.append("source")

    before = threading.active_count()
    for batched in (False, True):
        classifier = Classifier(small_run.bundle, workers=2, batch_size=3)
        classifier._file_by_file = not batched
        answers = classifier.predict_many(paths())
        next(answers)
        answers.close()  # type: ignore[attr-defined]
        assert closed.pop() == "source"
        assert threading.active_count() == before


def test_who_reads_predictions_computes_on_as_many_threads_as_before(small_run: TrainResult, music: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        seen = []
        for _ in Classifier(small_run.bundle, workers=2).predict_many(songs(music)[:6]):
            seen.append(torch.get_num_threads())
        assert seen == [3] * 6
        fresh: list[int] = []
        thread = threading.Thread(target=lambda: fresh.append(torch.get_num_threads()))
        thread.start()
        thread.join()
        assert fresh == [3], "threads to come too"
    finally:
        torch.set_num_threads(before)


def test_work_on_one_thread_computes_on_one() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert list(ordered_map(on_one_thread(lambda _: torch.get_num_threads()), range(4), workers=2)) == [1] * 4
        assert on_one_thread(lambda _: torch.get_num_threads())(0) == 1
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
