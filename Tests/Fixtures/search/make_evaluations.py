"""Trains ds_cnn under more than a thousand selections of bits, for the measured search of bench-search.

    python make_evaluations.py CLIPS WEIGHTS > ds_cnn_evaluations.csv

From the top of the checkout, after `swift build -c release`. CLIPS is the folder of Speech Commands'
test set, WEIGHTS MLPerf Tiny's trained kws_ref_model.h5. Trials of searches, each a short training
(evaluations.yaml): random selections, selections that the additive tuner came to, as the best ones are
rare among random ones, and a few selections from many seeds, for the noise. Killed and started again,
it goes on where it was. The committed table took 0.3 s of a core a trial.

A line is the search's tuner and seed, the accuracy on the validation clips, and a letter a slot in the
header's order: a is 4 bits, b 8, c 16, d 31.
"""

import csv
import subprocess
import sys

PIPELINE = "Tests/Fixtures/search/evaluations.yaml"
LETTERS = {"4": "a", "8": "b", "16": "c", "31": "d"}


def trials(clips, weights, *settings):
    command = [".build/release/shiftwork", "run", PIPELINE, "-j", "1"]
    settings = (f"dataset.root={clips}", f"pretrained.path={weights}") + settings
    for setting in settings:
        command += ["--set", setting]
    subprocess.run(command, check=True, stdout=sys.stderr)
    with open("results/evaluations/search/trials.csv") as file:
        return list(csv.DictReader(file))


def choices(kernel, bias, activations):
    kernel = f"\"quantized_bits({kernel},{kernel},1,1,alpha='auto')\""
    bias = f"\"quantized_bits({bias},{bias},1,1,alpha='auto')\""
    activations = ", ".join(
        f"\"quantized_bits_featuremap({bits},{bits},1,1,alpha='auto',scale_axis=0)\""
        for bits in activations)
    return f"search.choices={{kernel: [{kernel}], bias: [{bias}], activation: [{activations}]}}"


def all_trials(clips, weights):
    """Pairs of a name and a trial."""
    def search(name, *settings):
        return [(name, trial) for trial in trials(clips, weights, *settings)]

    rows = search("random,42", "search.tuner=random", "search.trials=1200", "seed=42")
    for seed in range(1, 5):
        rows += search(
            f"additive,{seed}", "search.tuner=additive", "search.trials=150", f"seed={seed}")
    # The first activations of 8 bits, all others of 4, and all of 4: two selections from each seed.
    wider = ["activation", "activation(_1)?", "activation(_[1-3])?", "activation(_[1-6])?",
             "activation(_[0-9]+)?"]
    for group in wider:
        for seed in range(1, 13):
            limit = f'search.limit={{"{group}": [8], Activation: [4]'
            for layer in ["Conv2D", "DepthwiseConv2D", "Dense"]:
                limit += f", {layer}: [16, 31, 16]"
            rows += search(
                f"repeated,{seed}", "search.tuner=random", "search.trials=2", f"seed={seed}",
                choices(4, 16, [4, 8]), limit + "}")
    return rows


def main():
    clips, weights = sys.argv[1:]
    slots = None
    # A selection that all searches have from one seed is one training.
    written = set()
    for name, trial in all_trials(clips, weights):
        if trial["state"] != "done":
            continue
        if slots is None:
            slots = [key for key in trial if key.endswith((".kernel", ".bias", ".activation"))]
            print("tuner,seed,val_accuracy," + " ".join(slots))
        # Activations of a group share a column.
        bits = {}
        for key, value in trial.items():
            names, _, role = key.rpartition(".")
            for slot in names.split("+"):
                bits[f"{slot}.{role}"] = value
        seed = name.split(",")[1]
        letters = "".join(LETTERS[bits[slot]] for slot in slots)
        if (seed, letters) not in written:
            written.add((seed, letters))
            print(f"{name},{float(trial['val_accuracy']):.6f},{letters}")


if __name__ == "__main__":
    main()
