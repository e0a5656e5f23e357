# SPDX-License-Identifier: Apache-2.0
"""Runs of `conadv train` on a few images of Fashion-MNIST, and the same images for PyTorch."""
import gzip
import json
import pathlib
import subprocess

import torch

DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")
MEAN, DEVIATION = 0.5, 0.5


def images_and_labels(count):
    """The first `count` of the training set: [count, 1, 28, 28] in [0, 1], [count]."""
    pixels = gzip.open(DATA / "train-images-idx3-ubyte.gz").read(16 + 784 * count)[16:]
    labels = gzip.open(DATA / "train-labels-idx1-ubyte.gz").read(8 + count)[8:]
    images = torch.tensor(list(pixels), dtype=torch.uint8).view(count, 1, 28, 28)
    return images.float() / 255, torch.tensor(list(labels))


def normalised(images):
    return (images - MEAN) / DEVIATION


def train(binaries, out, settings, servers=1, workers=1):
    """The JSON result of a run that leaves its files in `out`. `settings`: as --set takes them."""
    job = out.parent / f"{out.name}.textproto"
    job.write_text(f'dataset {{ path: "{DATA}" }}\n')
    command = [binaries / "conadv", "train", f"--job={job}", f"--out={out}", "--json", f"--servers={servers}",
               f"--workers={workers}", "--threads=1"]
    for name, value in {"evaluation.limit": 16, "evaluation.attack_steps": 0, "optimizer.sgd.momentum": 0.9, **settings}.items():
        command += ["--set", f"{name}={value}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])
