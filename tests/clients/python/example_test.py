#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The example evaluates a run that trains, and its accuracy is the run's own: example_test.py BINARIES."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import torch

import conadv

BINARIES = None
ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA = "/usr/share/datasets/fashion-mnist"
IMAGES = 200


def make_model():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3, 2, 1, bias=False), torch.nn.BatchNorm2d(8), torch.nn.ReLU(),
                               torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten(), torch.nn.Linear(128, 10))


class Example(unittest.TestCase):
    def test_it_evaluates_every_tenth_version_and_the_last(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            torch.jit.script(make_model()).save(root / "net.pt")
            (root / "job.textproto").write_text(f"""
                model {{ torchscript: "{root / 'net.pt'}" }}
                dataset {{ path: "{DATA}" limit: 2000 mean: 0.286 deviation: 0.353 }}
                training {{ tau: 1 global_batch: 64 slots: 2 steps: 40 }}
                optimizer {{ sgd {{ momentum: 0.9 }} }} schedule {{ peak: 0.05 }}
                server {{ retain: 64 }}
                evaluation {{ limit: {IMAGES} attack_steps: 0 }}""")
            train = subprocess.Popen([BINARIES / "conadv", "train", f"--job={root / 'job.textproto'}", f"--out={root / 'run'}",
                                      "--servers=2", "--workers=1", "--threads=1", "--json"],
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                address = next(found[1] for found in (re.search(r"coordinator: (\S+)", line) for line in train.stderr) if found)
                example = subprocess.run(["/usr/bin/python3", "-B", ROOT / "examples/evaluate_from_python.py",
                                          f"--server={address}", "--every=10", f"--limit={IMAGES}"],
                                         capture_output=True, text=True, env=os.environ)
                out, errors = train.communicate()
            finally:
                train.kill()
                train.wait()
        self.assertEqual(example.returncode, 0, example.stderr)
        self.assertEqual(train.returncode, 0, errors)
        versions = re.findall(r"version (\d+): accuracy ([\d.]+), worst class \d with [\d.]+, calibration error [\d.]+\n",
                              example.stdout)
        self.assertEqual([int(version) for version, _ in versions], [0, 10, 20, 30, 40])
        final = json.loads(out.splitlines()[-1])["clean_accuracy"]
        # One image that is on the edge may fall to either side: sums are not in the same order.
        self.assertAlmostEqual(float(versions[-1][1]), final, delta=1.001 / IMAGES)
        self.assertGreater(final, 0.3)


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
