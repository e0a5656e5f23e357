#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every job file that ships keeps the rules, names its source, and trains: shipped_jobs_test.py BINARIES."""
import json
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import unittest

import torch
from PIL import Image

BINARIES = None
JOBS = sorted((pathlib.Path(__file__).resolve().parents[2] / "deploy" / "jobs").glob("*.textproto"))
# The same run with little of everything.
SMALL = {"model.width": 4, "training.global_batch": 8, "training.slots": 2, "training.steps": 2, "dataset.limit": 0,
         "evaluation.every": 0, "evaluation.limit": 8, "evaluation.attack_steps": 1}
SMALLER_IMAGES = {"dataset.height": 32, "dataset.width": 32}


def pixels(count):
    return bytes(random.getrandbits(8) for _ in range(count))


def write_idx(path):
    for split in "train", "t10k":
        (path / f"{split}-images-idx3-ubyte").write_bytes(struct.pack(">4i", 2051, 16, 28, 28) + pixels(16 * 784))
        (path / f"{split}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 2049, 16) + bytes(i % 10 for i in range(16)))


def write_cifar10(path):
    for name in *(f"data_batch_{i}" for i in range(1, 6)), "test_batch":
        (path / f"{name}.bin").write_bytes(b"".join(bytes([i % 10]) + pixels(3072) for i in range(10)))


def write_folder(path):
    for split in "train", "val":
        for label in range(4):
            folder = path / split / f"class{label}"
            folder.mkdir(parents=True)
            for i in range(4):
                Image.frombytes("RGB", (40, 36), pixels(3 * 40 * 36)).save(folder / f"{i}.JPEG", "JPEG")


def write_model(path):
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, 2), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Flatten(),
                              torch.nn.Linear(4 * 15 * 15, 4))
    torch.jit.script(net).save(path / "net.pt")


class ShippedJobsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        random.seed(1)
        cls.directory = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.directory.name)
        for name, write in ("IDX", write_idx), ("CIFAR10", write_cifar10), ("FOLDER", write_folder):
            (cls.path / name).mkdir()
            write(cls.path / name)
        write_model(cls.path)

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def conadv(self, *arguments):
        done = subprocess.run([BINARIES / "conadv", *arguments], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def settings_of(self, text):
        settings = dict(SMALL)
        if "torchscript:" in text:
            settings["model.torchscript"] = self.path / "net.pt"
            del settings["model.width"]
        if "format: FOLDER" in text:
            settings.update(SMALLER_IMAGES)
        return [argument for name, value in settings.items() for argument in ("--set", f"{name}={value}")]

    def test_each_is_valid_and_names_its_source(self):
        for job in JOBS:
            with self.subTest(job.name):
                self.conadv("validate", f"--job={job}")
                comments = " ".join(re.findall(r"^# ?(.*)$", job.read_text(), re.MULTILINE))
                self.assertRegex(comments, r"Source.*arXiv \d{4}\.\d{5}")

    def test_each_line_that_makes_it_another_run_is_valid(self):
        lines = 0
        for job in JOBS:
            for line in re.findall(r"^#.*--set.*$", job.read_text(), re.MULTILINE):
                with self.subTest(job.name, line=line):
                    settings = [setting.rstrip(".,:;)") for setting in re.findall(r"--set (\S+)", line)]
                    self.conadv("validate", f"--job={job}", *(f"--set={setting}" for setting in settings))
                    lines += 1
        self.assertGreater(lines, 10)

    def test_each_trains(self):
        for job in JOBS:
            with self.subTest(job.name):
                text = job.read_text()
                data = self.path / re.search(r"format: (\w+)", text)[1]
                out = self.conadv("train", f"--job={job}", f"--out={self.path / job.stem}", f"--data_dir={data}", "--json",
                                  "--workers=1", "--threads=1", *self.settings_of(text))
                self.assertEqual(json.loads(out.splitlines()[-1])["steps"], 2)


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1))
    assert JOBS
    unittest.main()
