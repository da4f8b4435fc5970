"""The built-in country model, judged on collections of recordings that it never saw.

    python benchmarks/builtin_country.py --uci DIR --world DIR --gtzan DIR --loops DIR --songs DIR

For each collection (`source` in the manifest) a model is made as tools/make_builtin_country.py makes the one that
ships, without that collection, calibrated without it, and asked about it; one vote per recording. Then the same models
hear the recordings through a low-pass filter and through MP3: a model that knows collections by their codec or their
noise would fall. Temperature and threshold are always those of the sound as it is.
"""

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

from builtin_judge import calibrate, calibrations, leave_one_source_out, scores
from builtin_recipe import low_pass, mp3, rows_of_world, world_clips
from make_builtin_country import CONFIG, SECONDS, learn, parse, read

from geoclass.features.registry import create_front_end

DAMAGE = {"low-pass 4 kHz": low_pass(4000), "MP3 128 kbit/s": mp3(128), "MP3 40 kbit/s": mp3(40)}


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    material = read(options.uci, options.world, options.gtzan, options.loops, options.songs)
    front_end, clips = create_front_end(CONFIG), world_clips(options.world)
    variants = {name: rows_of_world(clips, front_end, SECONDS, damage=damage).values for name, damage in DAMAGE.items()}
    answers = leave_one_source_out(material, learn, variants=variants)
    clean = answers["clean"]
    shipped, chosen = calibrate(clean), calibrations(clean)
    found = {name: scores(of, chosen) for name, of in answers.items()}
    found["as shipped"] = scores(clean, dict.fromkeys(chosen, shipped))
    print(f"{clean.known.sum()} recordings; shipped: temperature {shipped.temperature:.2f}, {shipped.threshold:.3f}")
    print(f"{'':42}" + "".join(f"{name:>17}" for name in found))
    for measure in found["clean"]:
        print(f"{measure:42}" + "".join(f"{of[measure]:17.3f}" for of in found.values()))
    print(f"{'collection':24}{'recordings':>10}{'right':>7}  countries")
    right = clean.world_logits[:, :-1].argmax(axis=1) == clean.truth
    for source in sorted(set(clean.world.sources[clean.known])):
        of = clean.known & (clean.world.sources == source)
        print(f"{source:24}{of.sum():10}{right[of].sum():7}  {', '.join(np.unique(clean.world.labels[of]))}")


if __name__ == "__main__":
    main()
