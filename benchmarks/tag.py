"""How fast files are tagged, beside how fast they can be decoded at all, in one run on the same files.

    python benchmarks/tag.py [--model MODEL] [--source DIR] [--files 200] [--json result.json]

Without --source the files are synthesized MP3s of three minutes, without --model the built-in models answer. Each row
is the median of --repeats interleaved rounds; what a run starts with (imports, loading the model) is not in it. "core
ms" is processor time per file over all cores: it holds on a busy machine too, where files per second do not. The last
column is the processor time of decoding as a part of the row's: 1 would be a tagger that only decodes.

"all witnesses" is what `geoclass tag --dry-run` does with an empty cache: the models that its pool heeds (the genre
alone, for the built-in model of the country is never sure), the other witnesses, the cache. "the command" is the same
as a user types it, dry or writing every file, in a process of its own and not for the first time, less the same on one
file, and stands beside decoding measured likewise; a process starts for seconds, so that it takes a quiet machine, or
many files, to see what lies between.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

SAMPLE_SECONDS = 180.0  # of a synthesized file
DECODING, COMMAND, WRITING = PROCESSES = "decoding, process", "the command", "command, writing"
DECODE = """
import sys
from geoclass.audio.decode import load_excerpt
from geoclass.parallel.threads import ordered_map
for _ in ordered_map(lambda path: load_excerpt(path, sample_rate=22_050, duration_s=30.0), sys.argv[1:]):
    pass
"""


def main() -> None:
    arguments = _parse()
    import torch

    from geoclass.audio.decode import load_excerpt
    from geoclass.bundle.bundle import Bundle
    from geoclass.evidence.registry import USUAL
    from geoclass.inference.classifier import Classifier
    from geoclass.inference.heard import HeardCache
    from geoclass.parallel.threads import default_workers, ordered_map
    from geoclass.tagging.apply import iter_apply
    from geoclass.tagging.models import load_classifier
    from geoclass.tagging.plan import iter_plan
    from geoclass.tagging.policy import Policy
    from geoclass.tagging.tags import read_tags

    if arguments.torch_threads:
        torch.set_num_threads(arguments.torch_threads)
    workers = arguments.workers or default_workers()
    names = arguments.model or ["country-traditional", "genre-gtzan"]
    bundles = [Bundle.load(name, device=arguments.device) for name in names]
    classifier = Classifier(bundles, workers=workers, excerpt_seconds=arguments.excerpt_seconds)
    rate = bundles[0].front_end.sample_rate
    excerpt_s = arguments.excerpt_seconds
    policy = Policy(min_confidence=0.0, candidates=True)  # every file is written: the dearest case

    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="geoclass-bench-") as name:
        folder = Path(name)
        library = copies(folder, arguments.source, arguments.files)
        files = list(library)
        journals = iter(range(10**6))

        def decode() -> None:
            def one(path: Path) -> None:
                load_excerpt(path, sample_rate=rate, duration_s=excerpt_s)

            _exhaust(ordered_map(one, files, workers=workers))

        def dry_run() -> None:
            _exhaust(iter_plan(classifier, paths=files, policy=policy))

        def witnesses() -> None:  # what the command does, without its start and its printing
            with HeardCache(folder / f"{next(journals)}.sqlite") as cache:
                asked = Policy(evidence=USUAL, vote="artist")
                heeded = load_classifier([], asked, device=arguments.device, workers=workers, cache=cache)
                _exhaust(iter_plan(heeded, paths=files, policy=asked))

        def write() -> None:
            plan = iter_plan(classifier, paths=files, policy=policy)
            statuses = [file.status for file in iter_apply(plan, journal=folder / f"{next(journals)}.jsonl")]
            assert set(statuses) == {"written"}, set(statuses)

        def second_run() -> None:
            plan = iter_plan(classifier, paths=files, policy=policy)
            statuses = [file.status for file in iter_apply(plan, journal=folder / "never.jsonl")]
            assert set(statuses) == {"unchanged"}, set(statuses)

        def plain() -> None:
            import librosa

            for path in files[: arguments.plain_files]:
                duration_s = librosa.get_duration(path=path)
                offset_s = max(0.0, (duration_s - excerpt_s) / 2)
                sound, _ = librosa.load(path, sr=rate, offset=offset_s, duration=excerpt_s)
                librosa.power_to_db(librosa.feature.melspectrogram(y=sound, sr=rate, n_mels=256), ref=np.max)

        def restore() -> None:
            for path, original in library.items():
                if read_tags(path).values.get("model"):
                    _copy(original, path)

        steps: dict[str, tuple[Callable[[], None], int]] = {
            "decode only": (decode, len(files)),
            "tag --dry-run": (dry_run, len(files)),
            "all witnesses": (witnesses, len(files)),
            "tag": (write, len(files)),
            "tag, second run": (second_run, len(files)),
            "librosa, plain": (plain, min(arguments.plain_files, len(files))),
        }
        rates: dict[str, list[float]] = {step: [] for step in steps}
        costs: dict[str, list[float]] = {step: [] for step in steps}  # processor seconds per file, all cores
        if arguments.model:
            del steps["all witnesses"]
        else:
            witnesses()  # reads their tables
        decode()  # warms the page cache and the decoder
        _process(COMMAND, files, arguments, folder / "home")  # the first run unpacks the language model
        for _ in range(arguments.repeats):
            restore()
            for step, (run, count) in steps.items():
                start, busy = time.perf_counter(), time.process_time()
                run()
                rates[step].append(count / (time.perf_counter() - start))
                costs[step].append((time.process_time() - busy) / count)
            restore()
            for step in PROCESSES:
                wall, busy = _process(step, files, arguments, folder / "home")
                rates.setdefault(step, []).append(1 / wall)
                costs.setdefault(step, []).append(busy)
    _report(rates, costs, arguments, workers=workers, n_files=len(files))


def _process(step: str, files: list[Path], arguments: argparse.Namespace, home: Path) -> tuple[float, float]:
    """Seconds and processor seconds per file of `geoclass tag` or of decoding, without the start."""
    models = [part for name in arguments.model or [] for part in ("--model", name)]
    options = ["--excerpt-seconds", str(arguments.excerpt_seconds), "--device", arguments.device, *models]
    costs = []
    for some in (files[:1], files):
        for kept in (home / "cache").glob("features.sqlite*"):
            kept.unlink()
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        how = ["--dry-run"] if step == COMMAND else ["--min-confidence", "0"]  # every file is written
        program = ["-c", DECODE] if step == DECODING else ["-m", "geoclass", "tag", *how, *options]
        command = [sys.executable, *program, *map(str, some)]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"GEOCLASS_HOME": str(home)})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        costs.append((time.perf_counter() - start, busy))
    (start_s, start_busy_s), (all_s, all_busy_s) = costs
    n_more = max(1, len(files) - 1)
    return max(1e-9, all_s - start_s) / n_more, max(1e-9, all_busy_s - start_busy_s) / n_more


def _report(
    rates: dict[str, list[float]],
    costs: dict[str, list[float]],
    arguments: argparse.Namespace,
    *,
    workers: int,
    n_files: int,
) -> None:
    medians = {step: statistics.median(values) for step, values in rates.items()}
    seconds = {step: statistics.median(values) for step, values in costs.items()}
    limit = {step: DECODING if step in PROCESSES else "decode only" for step in rates}
    of_decoding = {step: medians[step] / medians[limit[step]] for step in rates}
    decoding_is = {step: seconds[limit[step]] / seconds[step] for step in rates}
    print(f"{n_files} files, {workers} workers, {arguments.repeats} rounds, device {arguments.device}\n")
    print(f"{'':18}{'files/s':>10}{'of decoding':>13}{'worst':>9}{'best':>9}{'core ms':>9}{'decoding is':>13}")
    for step, values in rates.items():
        print(
            f"{step:18}{medians[step]:10.1f}{of_decoding[step]:13.2f}{min(values):9.1f}{max(values):9.1f}"
            f"{1_000 * seconds[step]:9.1f}{decoding_is[step]:13.2f}"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform != "darwin" else 2**30)
    print(f"\nlargest memory {peak:.2f} GiB")
    if arguments.json:
        document: dict[str, Any] = {
            "files": n_files,
            "workers": workers,
            "files_per_s": rates,
            "core_s": costs,
            "peak_gib": peak,
            "of_decode_only": of_decoding,
            "decoding_is": decoding_is,
        }
        arguments.json.write_text(json.dumps(document, indent=2) + "\n")


def copies(folder: Path, source: Path | None, count: int) -> dict[Path, Path]:
    """`count` files, copies of those in `source` or of synthesized ones; each with what it is a copy of."""
    originals = sorted(path for path in source.rglob("*") if path.suffix in (".mp3", ".flac", ".ogg")) if source else []
    if source and not originals:
        sys.exit(f"no MP3, FLAC or Ogg files in {source}")
    if not originals:
        originals = list(_synthesized(folder / "originals", 4))
    files = {}
    for index in range(count):
        original = originals[index % len(originals)]
        path = folder / "library" / f"{index:06d}{original.suffix}"
        path.parent.mkdir(exist_ok=True)
        _copy(original, path)
        files[path] = original
    return files


def _copy(original: Path, path: Path) -> None:
    """MP3s end in a number of their own: to the cache of what was heard, the same sound twice would be one."""
    shutil.copyfile(original, path)
    if path.suffix == ".mp3":
        with open(path, "ab") as file:
            file.write(path.stem.encode())


def _synthesized(folder: Path, count: int) -> Iterable[Path]:
    import soundfile

    folder.mkdir()
    rate = 44_100  # Hz
    time_s = np.arange(round(SAMPLE_SECONDS * rate)) / rate
    for index in range(count):
        noise = np.random.default_rng(index).normal(0, 0.05, (len(time_s), 2))
        tones = sum(np.sin(2 * np.pi * 110 * (index + 2) * k * time_s) / k for k in range(1, 6))
        beat = np.exp(-8 * (time_s % 0.5))[:, None]  # without one, it would be taken for noise
        path = folder / f"{index}.mp3"
        soundfile.write(path, beat * (0.2 * np.asarray(tones)[:, None] + noise), rate, format="MP3")
        yield path


def _exhaust(items: Iterable[object]) -> None:
    for _ in items:
        pass


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help="a bundle by name or folder; may be repeated")
    parser.add_argument("--source", type=Path, help="music to copy; it is not changed")
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--plain-files", type=int, default=20, help="how many of them the plain way takes")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--excerpt-seconds", type=float, default=30.0)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--torch-threads", type=int)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--folder", type=Path, help="where to put the copies; the system's temporary folder by default")
    parser.add_argument("--json", type=Path, help="write the numbers here")
    return parser.parse_args()


if __name__ == "__main__":
    main()
