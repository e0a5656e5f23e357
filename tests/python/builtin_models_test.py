#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Built-in models are torchvision's where it has them: builtin_models_test.py BINARIES."""
import pathlib
import sys
import tempfile
import unittest

import torch
import torchvision

import runs

BINARIES = None


def for_gray_images(model, stem):
    """torchvision's model, for images of one channel; with the CIFAR stem if asked for."""
    kernel, stride, padding = (3, 1, 1) if stem == "CIFAR" else (7, 2, 3)
    model.conv1 = torch.nn.Conv2d(1, 64, kernel, stride, padding, bias=False)
    if stem == "CIFAR":
        model.maxpool = torch.nn.Identity()
    return model.eval()


class TorchvisionTest(unittest.TestCase):
    def check(self, name, stem):
        with tempfile.TemporaryDirectory() as directory:
            out = pathlib.Path(directory) / "run"
            runs.train(BINARIES, out, {"model.builtin": name, "model.stem": stem, "training.algorithm": "VANILLA",
                                       "dataset.limit": 8, "training.global_batch": 8, "training.slots": 1,
                                       "training.steps": 2, "evaluation.limit": 8})
            ours = torch.jit.load(out / "model.pt")
        theirs = for_gray_images(getattr(torchvision.models, name)(num_classes=10), stem)
        images = runs.normalised(runs.images_and_labels(8)[0])
        with torch.no_grad():
            # From theirs to ours, and back: strict, so names and shapes are the same.
            torch.manual_seed(1)
            weights = {key: value + 0.01 * torch.rand_like(value) if value.is_floating_point() else value
                       for key, value in theirs.state_dict().items()}
            trained = {key: value.clone() for key, value in ours.state_dict().items()}
            ours.load_state_dict(weights)
            theirs.load_state_dict(weights)
            torch.testing.assert_close(ours(images), theirs(images), rtol=1e-4, atol=1e-4)
            ours.load_state_dict(trained)
            theirs.load_state_dict(trained)
            torch.testing.assert_close(ours(images), theirs(images), rtol=1e-4, atol=1e-4)

    def test_resnet18_with_imagenets_stem(self):
        self.check("resnet18", "IMAGENET")

    def test_resnet18_with_cifars_stem(self):
        self.check("resnet18", "CIFAR")

    def test_resnet50_with_imagenets_stem(self):
        self.check("resnet50", "IMAGENET")

    def test_resnet50_with_cifars_stem(self):
        self.check("resnet50", "CIFAR")


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1))
    unittest.main()
