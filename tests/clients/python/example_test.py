#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The example evaluates a run that trains, and its accuracy is the run's own: example_test.py BINARIES."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import torch

import conadv
from cluster import Cluster, await_observer

BINARIES = None
ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA = "/usr/share/datasets/fashion-mnist"
IMAGES = 200
STEPS = 40


def make_model():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3, 2, 1, bias=False), torch.nn.BatchNorm2d(8), torch.nn.ReLU(),
                               torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten(), torch.nn.Linear(128, 10))


class Example(unittest.TestCase):
    def test_it_evaluates_every_tenth_version_and_the_last(self):
        """The run has no worker until the example observes it."""
        with tempfile.TemporaryDirectory() as directory:
            network = pathlib.Path(directory) / "net.pt"
            torch.jit.script(make_model()).save(network)
            servers = Cluster(BINARIES, f"""
                model {{ torchscript: "{network}" }}
                dataset {{ path: "{DATA}" limit: 2000 mean: 0.286 deviation: 0.353 }}
                training {{ tau: 1 global_batch: 64 slots: 2 steps: {STEPS} }}
                optimizer {{ sgd {{ momentum: 0.9 }} }} schedule {{ peak: 0.05 }}
                server {{ retain: 64 }}
                evaluation {{ limit: {IMAGES} attack_steps: 0 }}""", shards=2, flags=["--evaluator_patience=0s"])
            processes = []

            def start(*command):
                processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
                return processes[-1]

            try:
                with conadv.connect(servers.address, timeout=20) as run, run.observe():
                    example = start("/usr/bin/python3", "-B", ROOT / "examples/evaluate_from_python.py",
                                    f"--server={servers.address}", "--every=10", f"--limit={IMAGES}")
                    await_observer(run, count=2)
                    worker = start(BINARIES / "conadv-worker", f"--coordinator={servers.address}", "--threads=1")
                    _, errors = worker.communicate()
                    self.assertEqual(worker.returncode, 0, errors)
                    out, errors = example.communicate()
                    self.assertEqual(example.returncode, 0, errors)
                    theirs = start(BINARIES / "conadv", "eval", f"--server={servers.address}", f"--version={STEPS}", "--threads=1",
                                   "--json")
                    evaluated, errors = theirs.communicate()
                    self.assertEqual(theirs.returncode, 0, errors)
            finally:
                for process in processes:
                    process.kill()
                    process.wait()
                servers.close()
        versions = re.findall(r"version (\d+): accuracy ([\d.]+), worst class \d with [\d.]+, calibration error [\d.]+\n", out)
        self.assertEqual([int(version) for version, _ in versions], list(range(0, STEPS + 1, 10)))
        final = json.loads(evaluated)["clean_accuracy"]
        # One image that is on the edge may fall to either side: sums are not in the same order.
        self.assertAlmostEqual(float(versions[-1][1]), final, delta=1.001 / IMAGES)
        self.assertGreater(final, 0.3)


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
