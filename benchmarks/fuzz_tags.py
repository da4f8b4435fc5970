"""Mutated sound files through the whole tag path: decoded, planned, written, undone.

    python benchmarks/fuzz_tags.py [--inputs 200000] [--json result.json]

What must hold for each input: no exception but the errors that we raise on purpose, no hang, a file that is not
reported as written has not changed, and undo gives back the bytes of one that is. Inputs run in child processes, so
that a crash in a native decoder is seen too; `--seed` and the printed input number make a finding again.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "tagging"))
CHUNK = 2_000  # inputs a child process
GROUP = 25  # inputs a run of apply
LIMIT_S = 20.0  # processor seconds for a group; an input takes milliseconds
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0x0FFFFFFF)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", type=int, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        _child(arguments.seed, *arguments.child)
        return
    counts: Counter[str] = Counter()
    findings: list[str] = []
    start = time.time()
    for first in range(0, arguments.inputs, CHUNK):
        last = min(first + CHUNK, arguments.inputs)
        command = [sys.executable, __file__, "--seed", str(arguments.seed), "--child", str(first), str(last)]
        try:
            child = subprocess.run(command, capture_output=True, text=True, timeout=1_800, check=False)
        except subprocess.TimeoutExpired:
            findings.append(f"inputs {first} to {last}: hang")
            continue
        if child.returncode != 0:
            findings.append(f"inputs {first} to {last}: exit {child.returncode}: {child.stderr[-600:]}")
            continue
        result = json.loads(child.stdout.splitlines()[-1])
        counts.update(result["counts"])
        findings += result["findings"]
        print(f"{last:8}  {dict(counts)}  findings: {len(findings)}  {time.time() - start:.0f} s", flush=True)
        if arguments.json:
            document = {"inputs": last, "seed": arguments.seed, "counts": counts, "findings": findings}
            arguments.json.write_text(json.dumps(document, indent=2) + "\n")
    print("\n".join(findings) or "no finding")
    sys.exit(bool(findings))


def _child(seed: int, first: int, last: int) -> None:
    counts: Counter[str] = Counter()
    findings: list[str] = []
    seeds = list(_seeds())
    root = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    os.environ["GEOCLASS_HOME"] = tempfile.mkdtemp(dir=root)
    with tempfile.TemporaryDirectory(dir=root) as folder:
        for start in range(first, last, GROUP):
            inputs = [(number, *_input(seeds, seed, number)) for number in range(start, min(start + GROUP, last))]
            busy = time.process_time()
            try:
                findings += _group(Path(folder), inputs, counts)
            except Exception:
                findings.append(f"inputs from {start}: {traceback.format_exc()[-900:]}")
            for left in Path(folder).iterdir():
                findings.append(f"inputs from {start}: {left.name} was left behind")
                left.unlink()
            if time.process_time() - busy > LIMIT_S:
                findings.append(f"inputs from {start}: {time.process_time() - busy:.0f} s of processor time")
    print(json.dumps({"counts": counts, "findings": findings}))


def _group(folder: Path, inputs: Iterable[tuple[int, str, bytes]], counts: Counter[str]) -> Iterator[str]:
    """Run one group; yields what went wrong."""
    from tagging_helpers import FakeClassifier

    from geoclass.audio.decode import load_excerpt
    from geoclass.errors import AudioError
    from geoclass.tagging.apply import apply_plan
    from geoclass.tagging.plan import plan_tags
    from geoclass.tagging.policy import Policy
    from geoclass.tagging.undo import undo

    files: dict[Path, tuple[int, bytes]] = {}
    for number, suffix, content in inputs:
        path = folder / f"{number}.{suffix}"
        path.write_bytes(content)
        files[path] = (number, content)
        try:
            load_excerpt(path, sample_rate=22_050, duration_s=0.1)
        except AudioError:
            counts["not decodable"] += 1
        except Exception:
            yield f"input {number}: decoding: {traceback.format_exc()[-600:]}"
    journal = folder / "journal"
    policy = Policy(overwrite=frozenset({"country", "genre"}), release_country=True)
    results = apply_plan(plan_tags(FakeClassifier(), paths=files, policy=policy), journal=journal)
    for result in results:
        counts[result.status] += 1
        number, content = files[result.path]
        if result.status != "written" and result.path.read_bytes() != content:
            yield f"input {number}: {result.status}, but changed"
    if journal.exists():
        for done in undo(journal):
            if done.status != "restored":
                yield f"input {files[done.path][0]}: undo says {done.status} {done.reason}"
        journal.unlink()
    for path, (number, content) in files.items():
        if path.read_bytes() != content:
            yield f"input {number}: not restored"
        path.unlink()


def _seeds() -> Iterator[tuple[str, bytes]]:
    """Short sound files of every format, plain and with tags of ours, and MP3s with all kinds of frames."""
    import io

    import mutagen.id3
    from tagging_helpers import SUFFIXES, FakeClassifier, encode

    from geoclass.tagging.apply import apply_plan
    from geoclass.tagging.plan import plan_tags

    with tempfile.TemporaryDirectory() as folder:
        for suffix in SUFFIXES:
            content = encode(suffix, seconds=0.25)
            yield suffix, content
            path = Path(folder) / f"seed.{suffix}"
            path.write_bytes(content)
            (done,) = apply_plan(plan_tags(FakeClassifier(), paths=[path]), journal=Path(folder) / suffix)
            assert done.status == "written", done.reason
            yield suffix, path.read_bytes()
    sound = encode("mp3", seconds=0.25)
    for version in (3, 4):
        tags, out = mutagen.id3.ID3(), io.BytesIO()
        tags.add(mutagen.id3.TIT2(encoding=1, text=["Title"]))
        tags.add(mutagen.id3.TCON(encoding=0, text=["(17)Rock", "Folk"]))
        tags.add(mutagen.id3.APIC(encoding=0, mime="image/png", type=3, desc="", data=b"\x89PNG" + bytes(300)))
        tags.add(mutagen.id3.CHAP(element_id="c", start_time=0, end_time=9, start_offset=0, end_offset=0))
        tags.save(out, v1=0, v2_version=version)
        yield "mp3", out.getvalue() + sound
    yield "mp3", b"ID3\2\0\0\0\0\0\x20TT2\0\0\6\0TitleTCO\0\0\5\0(17)" + bytes(9) + sound
    yield (
        "mp3",
        b"ID3\3\0\xc0\0\0\0\x2a"
        + b"\0\0\0\6\0\0\0\0\0\0"
        + b"PRIV\0\0\0\x08\0\0a\0\xff\0\xfb\1\2\3"
        + bytes(14)
        + sound,
    )
    yield "mp3", sound + b"APETAGEX" + bytes.fromhex("d00700002000000000000000000000000000000000000000")
    yield "mp3", sound + b"TAG" + bytes(124) + b"\x11"


def _input(seeds: list[tuple[str, bytes]], seed: int, number: int) -> tuple[str, bytes]:
    generator = random.Random(f"{seed} {number}")
    suffix, original = generator.choice(seeds)
    data = bytearray(original)
    for _ in range(generator.choice((1, 1, 1, 2, 3, 8))):
        if not data:
            break
        # Most of what matters stands at the ends.
        near = min(len(data), generator.choice((16, 64, 256, 1_024, len(data))))
        place = generator.randrange(near) if generator.random() < 0.7 else len(data) - 1 - generator.randrange(near)
        length = generator.choice((1, 2, 4, 8, 32, 200))
        match generator.randrange(8):
            case 0:
                data[place] ^= 1 << generator.randrange(8)
            case 1:
                width = generator.choice((1, 2, 4, 8))
                value = generator.choice(INTERESTING) & (256**width - 1)
                data[place : place + width] = value.to_bytes(width, generator.choice(("little", "big")))
            case 2:
                del data[place:]
            case 3:
                del data[place : place + length]
            case 4:
                data[place:place] = generator.randbytes(length)
            case 5:
                data[place:place] = data[place : place + length]
            case 6:
                data[place : place + length] = generator.randbytes(min(length, len(data) - place))
            case 7:
                _, other = generator.choice(seeds)
                begin = generator.randrange(len(other))
                data[place : place + length] = other[begin : begin + length]
    if generator.random() < 0.02:
        suffix = generator.choice(seeds)[0]
    return suffix, bytes(data)


if __name__ == "__main__":
    np.seterr(all="ignore")
    main()
