#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A worker in Python trains as conadv-worker does: worker_test.py BINARIES."""
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

import numpy
import torch
import torch.nn.functional as F

import conadv
from cluster import Cluster, after, cluster, small_plan, train

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "python"))
import runs  # noqa: E402

BINARIES = None
EXAMPLES, BATCH, SLOTS, STEPS, RATE, STEP_SIZE = 120, 40, 2, 12, 0.05, 0.1


def make_model():
    """Smooth everywhere: one kink that float32 puts on the other side would be a difference."""
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3, 2, 1), torch.nn.SiLU(), torch.nn.Conv2d(8, 16, 3, 2, 1),
                               torch.nn.SiLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(16, 10))


class Computed:
    """What a unit contributes, in torch."""

    def __init__(self):
        self.model = make_model()
        self.images, self.labels = runs.images_and_labels(EXAMPLES)

    def take(self, weights):
        missing, unexpected = self.model.load_state_dict(weights.state_dict(), strict=False)
        assert not missing and not unexpected

    def attacked(self, weights, images, labels):
        """One L2 step up the loss, within the pixels' range."""
        self.take(weights)
        x = images.clone().requires_grad_(True)
        gradient, = torch.autograd.grad(F.cross_entropy(self.model(runs.normalised(x)), labels, reduction="sum"), x)
        length = gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        return (images + STEP_SIZE * gradient / length).clamp(0, 1).detach()

    def contribute(self, unit, stream, weights, images, labels):
        self.take(weights)
        self.model.zero_grad()
        logits = self.model(runs.normalised(images))
        loss = F.cross_entropy(logits, labels)
        loss.backward()
        accuracy = (logits.argmax(1) == labels).float().mean().item()
        unit.push(stream, {name: p.grad for name, p in self.model.named_parameters()}, loss=loss.item(), accuracy=accuracy)

    def work(self, unit):
        chosen = unit.examples()
        images, labels = self.images[chosen], self.labels[chosen]
        self.contribute(unit, "clean", unit.weights, images, labels)
        adversarial = self.attacked(unit.attack_weights(), images, labels)
        self.contribute(unit, "adversarial", unit.weights, adversarial, labels)


class WorkerTest(unittest.TestCase):
    settings = {"dataset.limit": EXAMPLES, "training.algorithm": "CONADV", "training.tau": 2,
                "training.mixture_batch_norm": "false", "training.global_batch": BATCH, "training.slots": SLOTS,
                "training.steps": STEPS, "attack.step": "L2", "attack.step_size": STEP_SIZE, "attack.epsilon": 0,
                "optimizer.sgd.momentum": 0.9, "schedule.peak": RATE}

    def test_gradients_in_torch_train_the_model_that_conadv_worker_trains(self):
        """The same examples, attacked with weights two versions old, and the same updates: the same weights but for
        float32's order of sums."""
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            torch.jit.script(make_model()).save(root / "net.pt")
            result = runs.train(BINARIES, root / "run", {"model.torchscript": root / "net.pt", **self.settings})
            theirs = torch.jit.load(root / "run" / "model.pt").state_dict()
            job = (root / "run" / "job.textproto").read_text()
            ours = self.trained(job)
        self.assertEqual(result["steps"], STEPS)
        began = make_model().state_dict()
        for name, value in theirs.items():
            moved = (value - began[name]).norm().item()
            self.assertGreater(moved, 1e-3, name)
            self.assertLess((ours[name] - value).norm().item(), 1e-3 * moved, name)

    def trained(self, job):
        computed = Computed()
        servers = Cluster(BINARIES, job, flags=["--evaluator_patience=0s"])
        try:
            with conadv.connect(servers.address, timeout=20) as run, run.observe():
                with conadv.Worker(run, conadv.Plan.of_module(computed.model, EXAMPLES)) as worker:
                    for unit in worker.units():
                        with unit:
                            computed.work(unit)
                staleness = run.staleness().attack_staleness
                # Of two streams of each of 24 units, the adversarial ones' are min(step, 2).
                self.assertEqual(staleness.max, 2)
                return {name: tensor.clone() for name, tensor in run.pull(STEPS).torch().items()}
        finally:
            servers.close()

    def test_two_workers_share_the_units_and_one_that_raises_gives_its_unit_back(self):
        plan = small_plan()
        with cluster(BINARIES, steps=20) as servers, conadv.connect(servers.address, timeout=20) as run, run.observe():
            failed = []

            def fail_once(unit):
                if not failed:
                    failed.append(unit)
                    with self.assertRaisesRegex(RuntimeError, "of the user's"), unit:
                        raise RuntimeError("of the user's")

            ends = []

            def second():
                with conadv.connect(servers.address, timeout=20) as other:
                    train(other, plan)
                    ends.append(True)

            thread = threading.Thread(target=second)
            thread.start()
            train(run, plan, before=fail_once)
            thread.join(30)
            self.assertEqual(ends, [True])
            for name, array in run.pull(20).items():
                numpy.testing.assert_array_equal(array, after(plan.initial, 20)[name], name)

    def test_a_worker_with_another_plan_is_refused_with_the_difference(self):
        plan = small_plan()
        with cluster(BINARIES) as servers, conadv.connect(servers.address, timeout=20) as run:
            with conadv.Worker(run, plan) as worker:
                next(worker.units())
                with self.assertRaisesRegex(conadv.RefusedError, "training data differs .* 101 examples, the run has .* 100"):
                    train(run, small_plan(examples=101))

    def test_gradients_are_rounded_as_conadv_worker_rounds_them(self):
        """Values that worker/compute/rounded_compute.cc and common/tensor/bfloat16.cc gave for unit (3, 1), seed 1."""
        from conadv._wire.rounding import UnitKeys, by_chance, upper_half, widen
        key = UnitKeys(1, 3, 1, 1).of_tensor(1)
        self.assertEqual(key, 0xcb2713acc00b4c05)
        tenths = numpy.float32(0.1) * numpy.arange(1, 9, dtype=numpy.float32)
        self.assertEqual(upper_half(by_chance(key, tenths)).tolist(),
                         [0x3dcc, 0x3e4d, 0x3e99, 0x3ecd, 0x3f00, 0x3f1a, 0x3f34, 0x3f4d])
        values = numpy.linspace(-1, 1, 100_000, dtype=numpy.float32)
        rounded = by_chance(UnitKeys(1, 3, 1, 0).of_tensor(0), values)
        numpy.testing.assert_array_equal(widen(upper_half(rounded)), rounded)
        self.assertLess(abs((rounded - values).mean()), 1e-5)
        self.assertGreater(numpy.count_nonzero(rounded != values), 90_000)

    def test_a_unit_has_the_examples_that_conadv_worker_gives_it(self):
        from conadv._wire.random import unit_examples
        for seed, n, slots, size, step, slot in ((1, 60_000, 4, 128, 0, 0), (1, 60_000, 4, 128, 200, 3),
                                                 (2**63, 10, 2, 7, 5, 1), (7, 1, 1, 3, 0, 0)):
            line = subprocess.run([BINARIES / "unit_examples", *map(str, (seed, n, slots, size, step, slot))],
                                  capture_output=True, text=True, check=True).stdout
            self.assertEqual(unit_examples(seed, n, slots, size, step, slot), [int(word) for word in line.split()])


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
