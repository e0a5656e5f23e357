#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rules of tensors and the weights' average, as PyTorch's optimizers and AveragedModel have them: recipes_test.py BINARIES."""
import copy
import json
import pathlib
import sys
import tempfile
import unittest

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.optim.swa_utils import AveragedModel

import runs

BINARIES = None
EXAMPLES, STEPS, RATE = 16, 3, 0.05
# The first that matches holds: of the second convolution everything stays, its BatchNorm's statistics as well.
RULES = [("fc.weight", {"weight_decay": 0.3}), ("*.bias", {"weight_decay": 0.2}), ("second.*", {"frozen": True})]
DECAY, AVERAGE = 0.05, 0.7


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 4, 5, 2, bias=False), nn.BatchNorm2d(4), nn.SiLU())
        self.second = nn.Sequential(nn.Conv2d(4, 6, 3, 2, bias=False), nn.BatchNorm2d(6), nn.SiLU())
        self.fc = nn.Linear(6 * 25, 10)
        for norm in self.first[1], self.second[1]:
            nn.init.normal_(norm.bias)  # of norm 0 none has a trust ratio

    def forward(self, x):
        return self.fc(torch.flatten(self.second(self.first(x)), 1))


def weight_decay_of(name, parameter):
    if name == "fc.weight":
        return 0.3
    if name.endswith(".bias"):
        return 0.2
    return DECAY if parameter.dim() > 1 else 0


class Lars(torch.optim.Optimizer):
    """Algorithm 1 of arXiv 1708.03888, with a ratio where the group says so."""

    def __init__(self, groups):
        super().__init__(groups, {"trust": 0.02, "momentum": 0.9, "ratio": False})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                decay = group["weight_decay"]
                ratio = group["trust"] * p.norm() / (p.grad.norm() + decay * p.norm()) if group["ratio"] else 1
                velocity = self.state[p].setdefault("velocity", torch.zeros_like(p))
                velocity.mul_(group["momentum"]).add_(RATE * ratio * (p.grad + decay * p))
                p.sub_(velocity)


class RecipesTest(unittest.TestCase):
    def expected(self, model, make_optimizer, warmup):
        # Biases go before "second.*": they move there too.
        frozen = {name for name, _ in model.named_parameters() if name.startswith("second.") and not name.endswith(".bias")}
        groups = [{"params": [p], "name": name, "weight_decay": weight_decay_of(name, p)}
                  for name, p in model.named_parameters() if name not in frozen]
        optimizer = make_optimizer(groups)
        updates = 0

        def move(average, weights, _):
            decay = min(AVERAGE, (1 + updates) / (10 + updates)) if warmup else AVERAGE
            return decay * average + (1 - decay) * weights if average.is_floating_point() else weights

        averaged = AveragedModel(model, avg_fn=move, use_buffers=True)
        averaged.n_averaged += 1  # or it would begin with the first update's weights
        statistics = {name: b.clone() for name, b in model.second.named_buffers()}
        images, labels = runs.images_and_labels(EXAMPLES)
        model.train()
        for updates in range(1, STEPS + 1):
            model.zero_grad()
            F.cross_entropy(model(runs.normalised(images)), labels).backward()
            optimizer.step()
            for name, buffer in model.second.named_buffers():
                buffer.copy_(statistics[name])
            averaged.update_parameters(model)
        return averaged.module.state_dict()

    def check(self, settings, make_optimizer, rules=tuple(RULES), warmup=True):
        torch.manual_seed(2)
        model = Net()
        tensors = ", ".join("{pattern: '%s' %s}" % (pattern, " ".join(f"{k}: {str(v).lower()}" for k, v in rule.items()))
                            for pattern, rule in rules)
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "net.pt"
            torch.jit.script(model).save(path)
            out = pathlib.Path(directory) / "run"
            result = runs.train(BINARIES, out, {
                "model.torchscript": path, "training.algorithm": "VANILLA", "dataset.limit": EXAMPLES,
                "training.global_batch": EXAMPLES, "training.slots": 1, "training.steps": STEPS, "schedule.peak": RATE,
                "optimizer.tensors": f"[{tensors}]", "optimizer.average.decay": AVERAGE,
                "optimizer.average.warmup": str(warmup).lower(), **settings}, servers=2)
            trained = torch.jit.load(out / "model.pt").state_dict()
            file = (out / "weights.safetensors").read_bytes()
        metadata = json.loads(file[8:8 + int.from_bytes(file[:8], "little")])["__metadata__"]
        self.assertEqual(metadata["averaged"], "true")
        self.assertEqual(metadata["weights_crc32c"], result["weights_crc32c"])
        began = copy.deepcopy(model.state_dict())
        expected = self.expected(model, make_optimizer, warmup)
        for name, value in trained.items():
            if not value.is_floating_point():
                continue
            if name.startswith("second.") and not name.endswith(".bias"):
                self.assertTrue(value.equal(began[name]), name)
            distance = (value - expected[name]).norm() / expected[name].norm().clamp_min(1e-3)
            self.assertLess(distance.item(), 1e-4, name)
        # Or nothing was compared: what the average is not.
        moved = (expected["fc.weight"] - model.state_dict()["fc.weight"]).norm() / expected["fc.weight"].norm()
        self.assertGreater(moved.item(), 1e-3)

    def test_sgd(self):
        self.check({"optimizer.sgd.weight_decay": DECAY, "optimizer.sgd.momentum": 0.9},
                   lambda groups: torch.optim.SGD(groups, RATE, 0.9))

    def test_adamw_and_an_average_without_warm_up(self):
        self.check({"optimizer.adamw.weight_decay": DECAY}, lambda groups: torch.optim.AdamW(groups, RATE), warmup=False)

    def test_lars_with_a_ratio_for_biases_and_none_for_a_weight(self):
        def make(groups):
            for group in groups:
                group["ratio"] = group["name"] == "first.1.bias"
            return Lars(groups)
        rules = [("first.1.bias", {"weight_decay": 0.2, "trust_ratio": True}), ("first.0.weight", {"trust_ratio": False}),
                 ("fc.weight", {"weight_decay": 0.3, "trust_ratio": False}), *RULES[1:]]
        self.check({"optimizer.lars.trust": 0.02, "optimizer.lars.weight_decay": DECAY}, make, rules)


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1))
    unittest.main()
