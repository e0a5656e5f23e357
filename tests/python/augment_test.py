#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Augmentation is torchvision's on uint8 tensors: augment_test.py BINARIES [IMAGE...].

Images that are named are checked beside the generated ones."""
import pathlib
import subprocess
import sys
import unittest
import unittest.mock

import torch
import torchvision.transforms.functional as F
from torchvision.io import ImageReadMode, read_image
from torchvision.transforms import autoaugment
from torchvision.transforms.functional import InterpolationMode

BINARIES = None
IMAGES = []
# Even and odd sides, less than 3 pixels, more than one vector of any processor and a rest; one channel.
SIZES = [(3, 32, 32), (3, 31, 17), (1, 28, 28), (3, 2, 5), (3, 1, 1), (3, 64, 224), (3, 33, 133)]


def generated_images():
    generator = torch.Generator().manual_seed(1)
    for channels, height, width in SIZES:
        noise = torch.randint(256, (channels, height, width), generator=generator, dtype=torch.uint8)
        yield noise
        # Smooth, and of few values, none of them near the ends.
        ramp = torch.arange(height)[:, None] * 2 + torch.arange(width)[None, :]
        yield torch.stack([(60 + c * 20 + ramp % 97).to(torch.uint8) for c in range(channels)])
        yield torch.full_like(noise, 131)


class Filter:
    """The program that holds our operations."""

    def __init__(self):
        self.process = subprocess.Popen([BINARIES / "augment_filter"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, name, image, *args):
        args = [*args, 0, 0, 0, 0][:4]
        line = " ".join([name, *(repr(a) for a in args), *(str(s) for s in image.shape)])
        self.process.stdin.write(line.encode() + b"\n" + image.contiguous().numpy().tobytes())
        self.process.stdin.flush()
        answer = self.process.stdout.read(image.numel())
        return torch.frombuffer(bytearray(answer), dtype=torch.uint8).view(image.shape)

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class AugmentTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.ours = Filter()
        cls.images = [*generated_images(), *(read_image(path, ImageReadMode.RGB) for path in IMAGES)]

    @classmethod
    def tearDownClass(cls):
        cls.ours.close()

    def check(self, what, ours, theirs, most=0):
        difference = (ours.short() - theirs.short()).abs().max().item()
        self.assertLessEqual(difference, most, what)

    def check_operation(self, name, magnitudes):
        for image in self.images:
            for magnitude in magnitudes:
                theirs = autoaugment._apply_op(image, name, magnitude, InterpolationMode.NEAREST, None)
                self.check(f"{name} {magnitude} of {list(image.shape)}", self.ours(name, image, magnitude), theirs)

    def magnitudes(self, name):
        """Both policies', both signs, and some that are in no table."""
        space = autoaugment.RandAugment()._augmentation_space
        table = [*space(10, (32, 32))[name][0].tolist(), *space(31, (224, 224))[name][0].tolist()]
        signed = space(10, (32, 32))[name][1]
        return [*table, *(-m for m in table)] if signed else table

    def test_affine_operations(self):
        for name in ["ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate"]:
            self.check_operation(name, self.magnitudes(name))
        # By 90 degrees, every place lies half-way between two pixels where one side is even and one odd.
        self.check_operation("Rotate", [0.0, 45.0, -135.5, 180.0])
        self.check_operation("TranslateX", [1000.0, -1000.0])

    def test_blends(self):
        for name in ["Brightness", "Color", "Contrast", "Sharpness"]:
            self.check_operation(name, self.magnitudes(name))
            self.check_operation(name, [-1.0, 2.5])

    def test_tables_of_values(self):
        for name in ["AutoContrast", "Equalize", "Invert", "Identity"]:
            self.check_operation(name, [0.0])
        self.check_operation("Posterize", list(range(9)))
        self.check_operation("Solarize", [*self.magnitudes("Solarize"), 0.5, 254.5])

    def test_flip_crop_and_erase(self):
        for image in self.images:
            _, height, width = image.shape
            self.check("flip", self.ours("flip", image), F.hflip(image))
            for top, left in [(0, 0), (-4, 3), (4, -4), (-height, 0), (2, width), (-1, -1)]:
                padded = F.pad(image, [width, height])
                theirs = F.crop(padded, top + height, left + width, height, width)
                self.check(f"crop {top} {left}", self.ours("crop", image, top, left), theirs)
            for top, left, h, w in [(0, 0, 8, 8), (-4, -4, 8, 8), (height - 4, width - 4, 8, 8), (1, 1, 0, 0)]:
                y, x, bottom, right = max(top, 0), max(left, 0), max(top + h, 0), max(left + w, 0)
                theirs = F.erase(image, y, x, bottom - y, right - x, torch.tensor(0))
                self.check(f"erase {top} {left} {h} {w}", self.ours("erase", image, top, left, h, w), theirs)

    def test_resized_crop_within_one_grey_level(self):
        for image in self.images:
            _, height, width = image.shape
            for box in [(0, 0, height, width), (0, 0, 1, 1), (0, 0, (height + 1) // 2, width),
                        (height // 3, width // 3, (height + 1) // 2, (width + 2) // 3)]:
                theirs = F.resized_crop(image, *box, [height, width])
                self.check(f"resized_crop {box} of {list(image.shape)}", self.ours("resized_crop", image, *box), theirs, 1)

    def test_auto_augment_does_the_same_with_the_same_draws(self):
        count = 60
        lines = subprocess.run([BINARIES / "augment_filter", "draws", str(count)], capture_output=True, text=True, check=True)
        draws = [line.split() for line in lines.stdout.splitlines()]
        for image in self.images[::3]:
            for index, policy in enumerate(autoaugment.AutoAugmentPolicy):
                theirs = autoaugment.AutoAugment(policy)
                for number, (pair, first, second, *signs) in enumerate(draws):
                    numbers = int(pair), torch.tensor([float(first), float(second)]), torch.tensor([int(s) for s in signs])
                    with unittest.mock.patch.object(autoaugment.AutoAugment, "get_params", return_value=numbers):
                        self.check(f"{policy} {numbers}", self.ours("auto_augment", image, index, number), theirs(image))

    def test_tables_are_torchvisions(self):
        lines = subprocess.run([BINARIES / "augment_filter", "tables"], capture_output=True, text=True, check=True).stdout
        policies, magnitudes = {}, {}
        for kind, key, *rest in (line.split() for line in lines.splitlines()):
            if kind == "policy":
                policies.setdefault(key, []).append(rest)
            else:
                magnitudes[int(key), rest[0]] = rest[1] == "1", [float(m) for m in rest[2:]]
        for policy in autoaugment.AutoAugmentPolicy:
            theirs = autoaugment.AutoAugment(policy).policies
            ours = [((a, float(p), int(b)), (c, float(q), int(d))) for a, p, b, c, q, d in policies[policy.value]]
            for our_pair, their_pair in zip(ours, theirs, strict=True):
                for our, their in zip(our_pair, their_pair, strict=True):
                    self.assertEqual(our[0], their[0])
                    self.assertAlmostEqual(our[1], their[1], places=6)
                    self.assertEqual(our[2], their[2] or 0)
        for bins, transform in [(10, autoaugment.AutoAugment()), (31, autoaugment.RandAugment())]:
            for name, (theirs, signed) in transform._augmentation_space(bins, (32, 224)).items():
                ours = magnitudes[bins, name]
                self.assertEqual(ours[0], signed, name)
                # torch.linspace()'s last bit depends on the processor's vectors.
                torch.testing.assert_close(torch.tensor(ours[1]), theirs.float().expand(bins), rtol=1e-6, atol=0, msg=name)
        # Which, and in which order RandAugment numbers them.
        ours = [name for bins, name in magnitudes if bins == 31]
        self.assertEqual(ours[:-1], list(autoaugment.RandAugment()._augmentation_space(31, (32, 32))))


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv[1])
    IMAGES = sys.argv[2:]
    unittest.main(argv=sys.argv[:1])
