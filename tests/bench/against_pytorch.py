#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Training speed beside a plain PyTorch loop's, in one run: the same model, batch and images, which both decode.

    tests/bench/against_pytorch.py build/bin cifar10/ [--models=resnet20,convnet] [--threads=1,2] [--steps=24] [--rounds=3]

The plain loop takes the batch as a whole and in the parts that conadv calls slots; the faster counts. Its attack and both gradients
are one after the other. Medians over the rounds, which take turns.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

PLAIN = pathlib.Path(__file__).with_name("plain_loop.py")
BATCH, SLOTS = 512, 4


def plain(flags, model, threads, attack, parts):
    out = subprocess.run([flags.python, PLAIN, f"--data={flags.data}", f"--model={model}", f"--steps={flags.steps}",
                          f"--threads={threads}", f"--loaders={threads}", f"--parts={parts}", f"--batch={BATCH}"]
                         + (["--attack"] if attack else []), check=True, capture_output=True, text=True).stdout
    return json.loads(out)["examples_per_second"]


def conadv(flags, model, threads, algorithm):
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
                     "--workers=1", f"--threads={threads}", "--json"]
        for name, value in settings.items():
            arguments += ["--set", f"{name}={value}"]
        done = subprocess.run(arguments, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(arguments)}:\n{done.stderr}")
        lines = [json.loads(line) for line in (pathlib.Path(directory) / "run/metrics.jsonl").read_text().splitlines()]
    seconds = {line["step"]["version"]: line["step"]["seconds"] for line in lines if "step" in line}
    first, last = 2, max(seconds)
    return (last - first) * BATCH / (seconds[last] - seconds[first])


def main():
    parser = argparse.ArgumentParser(description="conadv's training speed beside a plain PyTorch loop's")
    parser.add_argument("binaries")
    parser.add_argument("data")
    parser.add_argument("--models", default="resnet20,convnet")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default=sys.executable, help="a Python with torch and torchvision")
    flags = parser.parse_args()
    print(f"{'model':10}{'threads':>8}{'algorithm':>11}{'plain':>9}{'conadv':>9}{'ratio':>7}   examples/s", flush=True)
    for model in flags.models.split(","):
        for threads in flags.threads.split(","):
            seen = {}
            for _ in range(flags.rounds):
                for attack in (False, True):
                    for parts in (1, SLOTS):
                        seen.setdefault((attack, parts), []).append(plain(flags, model, threads, attack, parts))
                for algorithm in ("VANILLA", "DISADV", "CONADV"):
                    seen.setdefault(algorithm, []).append(conadv(flags, model, threads, algorithm))
            medians = {what: statistics.median(values) for what, values in seen.items()}
            for algorithm in ("VANILLA", "DISADV", "CONADV"):
                attack = algorithm != "VANILLA"
                loop = max(medians[attack, 1], medians[attack, SLOTS])
                print(f"{model:10}{threads:>8}{algorithm:>11}{loop:9.0f}{medians[algorithm]:9.0f}"
                      f"{medians[algorithm] / loop:7.2f}", flush=True)


if __name__ == "__main__":
    main()
