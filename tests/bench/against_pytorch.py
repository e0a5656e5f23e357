#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training speed beside a plain PyTorch loop's, in one run: the same model, batch and images, which both decode.

    tests/bench/against_pytorch.py build/bin [--data=cifar10/] [--threads=1,2] [--steps=16] [--rounds=7]

The plain loop takes the batch as a whole and in the parts that conadv calls slots; the faster counts. Its attack and both gradients
are one after the other. Prints rows, see tests/bench/table/row.h.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "table"))
import row  # noqa: E402

try:
    import torchvision  # noqa: F401
    from PIL import Image
except ImportError:
    Image = None

PLAIN = pathlib.Path(__file__).with_name("plain_loop.py")
BATCH, SLOTS = 512, 4


def plain(flags, model, threads, attack, parts):
    out = subprocess.run([flags.python, PLAIN, f"--data={flags.data}", f"--model={model}", f"--steps={flags.steps}",
                          f"--threads={threads}", f"--loaders={threads}", f"--parts={parts}", f"--batch={BATCH}"]
                         + (["--attack"] if attack else []), check=True, capture_output=True, text=True).stdout
    return json.loads(out)["examples_per_second"]


def conadv(flags, model, threads, algorithm, workers=1):
    """Between the second and the last version: processes that start and end are nobody's training speed."""
    settings = {"model.builtin": model, "dataset.format": "FOLDER", "dataset.cache_bytes": 0,
                "dataset.mean": "[0.4914, 0.4822, 0.4465]", "dataset.deviation": "[0.2470, 0.2435, 0.2616]",
                "training.algorithm": algorithm, "training.global_batch": BATCH, "training.slots": SLOTS,
                "training.steps": flags.steps, "training.mixture_batch_norm": "false",
                "attack.step_size": 8 / 255, "attack.epsilon": 8 / 255, "optimizer.sgd.weight_decay": 5e-4,
                "schedule.peak": 0.4, "evaluation.limit": 128, "evaluation.attack_steps": 0}
    if algorithm != "CONADV":
        settings["training.tau"] = 0
    if algorithm == "VANILLA":
        for name in ("training.mixture_batch_norm", "training.tau", "attack.step_size", "attack.epsilon"):
            settings.pop(name)
    with tempfile.TemporaryDirectory() as directory:
        arguments = [f"{flags.binaries}/conadv", "train", f"--out={directory}/run", f"--data_dir={flags.data}",
                     f"--workers={workers}", f"--threads={threads}", "--json"]
        for name, value in settings.items():
            arguments += ["--set", f"{name}={value}"]
        done = subprocess.run(arguments, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(arguments)}:\n{done.stderr}")
        lines = [json.loads(line) for line in (pathlib.Path(directory) / "run/metrics.jsonl").read_text().splitlines()]
    seconds = {line["step"]["version"]: line["step"]["seconds"] for line in lines if "step" in line}
    first, last = 2, max(seconds)
    return (last - first) * BATCH / (seconds[last] - seconds[first])


def images(directory, count=1024):
    """As many JPEG files in two classes, of noise: as slow to decode as pictures, if not slower."""
    for split in ("train", "test"):
        for i in range(count if split == "train" else 256):
            folder = pathlib.Path(directory) / split / f"class{i % 2}"
            folder.mkdir(parents=True, exist_ok=True)
            picture = Image.effect_noise((32, 32), 40 + i % 50).convert("RGB")
            picture.save(folder / f"{i:05}.jpg", quality=75)


def rows(flags):
    for model, reach in (("convnet", 1.5), ("resnet20", 1.1)):
        for threads in map(int, flags.threads.split(",")):
            samples = {(attack, parts): (lambda a=attack, n=parts: plain(flags, model, threads, a, n))
                       for attack in (False, True) for parts in (1, SLOTS)}
            samples.update({name: (lambda n=name: conadv(flags, model, threads, n))
                            for name in ("VANILLA", "DISADV", "CONADV")})
            seen = dict(zip(samples, row.interleave(flags.rounds, list(samples.values()))))
            for name in ("VANILLA", "DISADV", "CONADV"):
                loops = [seen[name != "VANILLA", parts] for parts in (1, SLOTS)]
                row.show(f"training {model}, {name}, {threads} thread{'s' * (threads > 1)}", "examples/s", seen[name],
                         max(loops, key=statistics.median), reference="a plain PyTorch loop", at_least=reach)
    two, one = row.interleave(flags.rounds, [lambda: conadv(flags, "convnet", 1, "CONADV", workers=2),
                                             lambda: conadv(flags, "convnet", 2, "CONADV")])
    row.show("training convnet, CONADV, two workers of one thread", "examples/s", two, one,
             reference="one worker of two", at_least=0.95)


def main():
    parser = argparse.ArgumentParser(description="conadv's training speed beside a plain PyTorch loop's; prints rows")
    parser.add_argument("binaries")
    parser.add_argument("--data", help="folders of 32 x 32 images; noise if there is none")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--python", default=sys.executable, help="a Python with torch and torchvision")
    flags = parser.parse_args()
    if Image is None:
        print("no torchvision for this Python: its rows are left out", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as directory:
        if flags.data is None:
            images(directory)
            flags.data = directory
        rows(flags)


if __name__ == "__main__":
    main()
