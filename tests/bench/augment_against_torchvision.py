#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Times torchvision's augmentation on one core beside ours: augment_against_torchvision.py BINARIES."""
import json
import pathlib
import subprocess
import sys
import time

import torch
import torchvision.transforms as T
import torchvision.transforms.functional as F
from torchvision.transforms import autoaugment
from torchvision.transforms.functional import InterpolationMode

MAGNITUDES = {"ShearX": 0.2, "ShearY": 0.2, "TranslateX": 5, "TranslateY": 5, "Rotate": 20, "Brightness": 0.5,
              "Color": 0.5, "Contrast": 0.5, "Sharpness": 0.5, "Posterize": 5, "Solarize": 128, "AutoContrast": 0,
              "Equalize": 0, "Invert": 0}


def operation(name):
    return lambda image: autoaugment._apply_op(image, name, MAGNITUDES[name], InterpolationMode.NEAREST, None)


def cutout(image):
    side = image.shape[-1]
    y, x = (int(torch.randint(side, ())) - side // 4 for _ in range(2))
    return F.erase(image, max(y, 0), max(x, 0), min(y, 0) + side // 2, min(x, 0) + side // 2, torch.tensor(0))


def transforms(side):
    policies = autoaugment.AutoAugmentPolicy
    return {**{name: operation(name) for name in MAGNITUDES}, "Flip": F.hflip, "PadAndCrop": T.RandomCrop(side, 4),
            "RandomResizedCrop": T.RandomResizedCrop(side), "Cutout": cutout,
            "AutoAugmentCifar10": T.AutoAugment(policies.CIFAR10), "AutoAugmentImageNet": T.AutoAugment(policies.IMAGENET),
            "AutoAugmentSvhn": T.AutoAugment(policies.SVHN), "RandAugment": T.RandAugment()}


def picture(side):
    rows = torch.arange(3 * side).view(3, side, 1) % 150
    return (30 + rows + torch.randint(40, (3, side, side))).to(torch.uint8)


def microseconds(transform, image, least=0.2):
    """Best of three means, as other programs only ever make it slower."""
    transform(image)
    means = []
    for _ in range(3):
        begin, count = time.process_time(), 0
        while time.process_time() - begin < least:
            for _ in range(10):
                transform(image)
            count += 10
        means.append((time.process_time() - begin) / count * 1e6)
    return min(means)


def ours(binaries, name, side):
    command = [binaries / "augment_bench", f"--benchmark_filter=/{name}/{side}$", "--benchmark_min_time=0.2",
               "--benchmark_repetitions=3", "--benchmark_format=json"]
    report = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return min(b["cpu_time"] for b in report["benchmarks"] if b["run_type"] == "iteration")


def main():
    binaries = pathlib.Path(sys.argv[1])
    torch.set_num_threads(1)
    torch.manual_seed(1)
    print(f"{'microseconds an image':22} {'side':>5} {'ours':>9} {'torchvision':>12} {'times as fast':>14}")
    for side in (32, 224):
        image = picture(side)
        for name, transform in transforms(side).items():
            mine, theirs = ours(binaries, name, side), microseconds(transform, image)
            print(f"{name:22} {side:5} {mine:9.2f} {theirs:12.2f} {theirs / mine:14.1f}", flush=True)


if __name__ == "__main__":
    main()
