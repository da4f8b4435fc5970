"""A run that fails or is left half-way ends soon, whoever still refers to it. The models are the built-in ones."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

LIMIT_S = 600  # a process that hangs, hangs for ever


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
    code = """
        import signal, sys, threading
        from pathlib import Path
        from geoclass.cli.app import main
        from geoclass.inference import hearing

        load, pressed = hearing.load_excerpt, threading.Event()
        first = sorted(Path(sys.argv[2]).rglob("*.mp3"))[:8]

        def load_before_or_after(path, **options):
            if path not in first:
                pressed.wait()
            return load(path, **options)

        def press(*arguments):
            pressed.set()
            signal.default_int_handler(*arguments)

        hearing.load_excerpt = load_before_or_after
        signal.signal(signal.SIGINT, press)
        main()
    """
    line = [sys.executable, "-uc", textwrap.dedent(code), "tag", str(music), "--dry-run"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=LIMIT_S) == 130
        assert "error: interrupted" in process.stderr.read()
