#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Evaluates a run that trains, version after version, with a metric of its own: the accuracy of each class, and how far the
model's confidence is from its accuracy (the expected calibration error, arXiv 1706.04599, 15 bins).

    conadv train --set model.torchscript=net.pt          # prints its address
    python3 examples/evaluate_from_python.py --server=HOST:PORT --every=50

Needs the package in clients/python, and torch. The images are those of the job, in the MNIST family's format. The model is the
job's TorchScript file; for a built-in one name the model.pt of an earlier run: --model=out/fashion-mnist/model.pt
"""
import argparse
import gzip
import pathlib
import struct

import numpy
import torch

import conadv

BINS = 15


def read_idx(directory, name):
    """A file of the MNIST family, plain or .gz."""
    plain = pathlib.Path(directory) / name
    with (open(plain, "rb") if plain.exists() else gzip.open(f"{plain}.gz")) as file:
        dimensions = file.read(4)[3]
        shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
        return numpy.frombuffer(file.read(), dtype=numpy.uint8).reshape(shape)


def test_set(dataset, limit):
    """Images as the model takes them, and labels."""
    images = read_idx(dataset.path, "t10k-images-idx3-ubyte")[:limit].astype(numpy.float32) / 255
    mean = dataset.mean[0] if dataset.mean else 0.5
    deviation = dataset.deviation[0] if dataset.deviation else 0.5
    labels = read_idx(dataset.path, "t10k-labels-idx1-ubyte")[:limit].astype(numpy.int64)
    return torch.from_numpy((images[:, None] - mean) / deviation), torch.from_numpy(labels)


def calibration_error(confidence, right):
    bins = (confidence * BINS).long().clamp(max=BINS - 1)
    gaps = [(right[bins == b].float().mean() - confidence[bins == b].mean()).abs() * (bins == b).float().mean()
            for b in bins.unique()]
    return sum(gap.item() for gap in gaps)


def main():
    flags = argparse.ArgumentParser(description="evaluates a run that trains with a metric of its own")
    flags.add_argument("--server", required=True, help="HOST:PORT of shard 0; certificates and a token: CONADV_TLS_CA, …")
    flags.add_argument("--every", type=int, default=50, help="of each so many versions")
    flags.add_argument("--limit", type=int, default=10000, help="test images")
    flags.add_argument("--model", default="", help="a TorchScript file; by default the job's")
    args = flags.parse_args()

    with conadv.connect(args.server) as run, run.observe():  # so that the servers wait for the last version's evaluation
        path = args.model or run.job.model.torchscript
        if not path:
            raise SystemExit(f"the job's model is {run.job.model.builtin}, a built-in one: name a model.pt of an earlier run "
                             "with --model=FILE")
        model = torch.jit.load(path).eval()
        images, labels = test_set(run.job.dataset, args.limit)
        for weights in run.versions(every=args.every):
            unknown = model.load_state_dict(weights.state_dict(), strict=False).unexpected_keys
            if unknown:
                raise SystemExit(f"{path} is another model than the run's: it has no {unknown[0]}")
            with torch.no_grad():
                confidence, predicted = torch.cat([model(part).softmax(1) for part in images.split(500)]).max(1)
            right = predicted == labels
            worst, accuracy = min(((right[labels == c].float().mean().item(), c) for c in labels.unique().tolist()))[::-1]
            print(f"version {weights.version}: accuracy {right.float().mean().item():.4f}, worst class {worst} with "
                  f"{accuracy:.4f}, calibration error {calibration_error(confidence, right):.4f}", flush=True)


if __name__ == "__main__":
    main()
