#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Three-way mixtures and rivals train as their formulas say: streams_test.py BINARIES."""
import copy
import pathlib
import subprocess
import sys
import tempfile
import unittest

import torch
import torch.nn.functional as F

import runs

BINARIES = None
EXAMPLES, STEPS, RATE, EPSILON, STEP_SIZE = 20, 4, 0.05, 1.0, 0.5


def make_model():
    """Smooth everywhere: one kink that float32 puts on the other side would be a difference."""
    torch.manual_seed(1)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, 2, 1, bias=False), torch.nn.BatchNorm2d(8), torch.nn.SiLU(),
        torch.nn.Conv2d(8, 16, 3, 2, 1, bias=False), torch.nn.BatchNorm2d(16), torch.nn.SiLU(),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(16, 10))


def norm_names(model):
    return {f"{m}.{p}" for m, module in model.named_modules() if isinstance(module, torch.nn.BatchNorm2d)
            for p in ("weight", "bias")}


def step_from(x, gradient, center):
    """One L2 step of each example, projected to the ball and the data range."""
    norm = gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    moved = x + STEP_SIZE * gradient / norm - center
    length = moved.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    return (center + moved * (EPSILON / length).clamp(max=1)).clamp(0, 1).detach()


class Loop:
    """Branches are copies of the model that share all but BatchNorm."""

    def __init__(self, model, branches):
        self.models = {branch: copy.deepcopy(model) for branch in branches}
        self.main = self.models[branches[0]]
        self.own = norm_names(model) if len(branches) > 1 else set()

    def gradients(self, branch, images, labels):
        """Of the mean loss in the weights, and of each example's own loss in its image."""
        model = self.models[branch].train()
        model.zero_grad()
        x = images.clone().requires_grad_(True)
        F.cross_entropy(model(runs.normalised(x)), labels).backward()
        return {n: p.grad.clone() for n, p in model.named_parameters()}, x.grad * len(labels)

    def attack(self, branch, images, labels):
        model = self.models[branch].eval()
        x = images.clone().requires_grad_(True)
        gradient, = torch.autograd.grad(F.cross_entropy(model(runs.normalised(x)), labels, reduction="sum"), x)
        return step_from(images, gradient, images)

    def update(self, streams):
        """`streams`: (branch, weight, weight of the branch's own tensors, gradients)."""
        with torch.no_grad():
            moves = {}
            for branch, weight, own_weight, gradients in streams:
                for name, gradient in gradients.items():
                    own = name in self.own
                    key = (branch if own else None, name)
                    moves[key] = moves.get(key, 0) + (own_weight if own else weight) * gradient
            for (branch, name), move in moves.items():
                for other, model in self.models.items():
                    if branch in (None, other):
                        dict(model.named_parameters())[name].sub_(RATE * move)


class StreamsTest(unittest.TestCase):
    def trained(self, model, settings):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "net.pt"
            torch.jit.script(model).save(path)
            out = pathlib.Path(directory) / "run"
            runs.train(BINARIES, out, {
                "model.torchscript": path, "dataset.limit": EXAMPLES, "training.global_batch": EXAMPLES,
                "training.slots": 1, "training.steps": STEPS, "attack.step": "L2", "attack.step_size": STEP_SIZE,
                "attack.epsilon": EPSILON, "optimizer.sgd.momentum": 0, "schedule.peak": RATE, **settings}, servers=2)
            return torch.jit.load(out / "model.pt").state_dict()

    def compare(self, model, loop, trained):
        expected = loop.main.state_dict()
        for name, value in trained.items():
            if value.is_floating_point():
                distance = (value - expected[name]).norm() / expected[name].norm().clamp_min(1e-3)
                self.assertLess(distance.item(), 1e-4, name)
        began = model.state_dict()
        moved = (expected["0.weight"] - began["0.weight"]).norm() / began["0.weight"].norm()
        self.assertGreater(moved.item(), 1e-3)  # or nothing was compared

    def order(self, step):
        line = subprocess.run([BINARIES / "unit_examples", "1", str(EXAMPLES), "1", str(EXAMPLES), str(step), "0"],
                              capture_output=True, text=True, check=True).stdout
        return [int(word) for word in line.split()]

    def test_three_way_mixture(self):
        """The augmented images are the mirrored ones; the attack begins with the others."""
        model = make_model()
        trained = self.trained(model, {
            "training.algorithm": "DISADV", "training.mixture_batch_norm": "true", "training.clean_weight": 0.5,
            "training.augmented_weight": 0.75, "training.adversarial_weight": 0.25,
            "dataset.augmentation": "[{flip: 1}]"})
        images, labels = runs.images_and_labels(EXAMPLES)
        loop = Loop(model, ["main", "augmented", "auxiliary"])
        for _ in range(STEPS):
            adversarial = loop.attack("auxiliary", images, labels)
            loop.update([("main", 0.5, 0.5, loop.gradients("main", images, labels)[0]),
                         ("augmented", 0.75, 0.75, loop.gradients("augmented", images.flip(3), labels)[0]),
                         ("auxiliary", 0.25, 0.25, loop.gradients("auxiliary", adversarial, labels)[0])])
        self.compare(model, loop, trained)

    def test_augmented_pass_alone(self):
        model = make_model()
        trained = self.trained(model, {
            "training.algorithm": "VANILLA", "training.clean_weight": 0, "training.augmented_weight": 1,
            "dataset.augmentation": "[{flip: 1}]"})
        images, labels = runs.images_and_labels(EXAMPLES)
        loop = Loop(model, ["main"])
        for _ in range(STEPS):
            loop.update([("main", 1, 1, loop.gradients("main", images.flip(3), labels)[0])])
        self.compare(model, loop, trained)

    def test_fast_advprop(self):
        """Of each slot the last fifth is attacked, and the attack's pass trains."""
        model = make_model()
        trained = self.trained(model, {"training.algorithm": "FAST_ADVPROP", "attack.random_start": 0})
        images, labels = runs.images_and_labels(EXAMPLES)
        loop = Loop(model, ["main", "auxiliary"])
        for step in range(STEPS):
            order = self.order(step)
            clean, attacked = order[:EXAMPLES * 4 // 5], order[EXAMPLES * 4 // 5:]
            attack, moving = loop.gradients("auxiliary", images[attacked], labels[attacked])
            adversarial = step_from(images[attacked], moving, images[attacked])
            streams = [("main", 0.8, 1, loop.gradients("main", images[clean], labels[clean])[0]),
                       ("auxiliary", 0.1, 0.5, attack),
                       ("auxiliary", 0.1, 0.5, loop.gradients("auxiliary", adversarial, labels[attacked])[0])]
            loop.update(streams)
        self.compare(model, loop, trained)

    def test_free(self):
        """Every batch makes two updates, and the first one's pass moves the second one's images."""
        model = make_model()
        trained = self.trained(model, {"training.algorithm": "FREE", "training.replays": 2})
        images, labels = runs.images_and_labels(EXAMPLES)
        loop = Loop(model, ["main"])
        for step in range(STEPS):
            x = images if step % 2 == 0 else x
            gradients, moving = loop.gradients("main", x, labels)
            x = step_from(x, moving, images)
            loop.update([("main", 1, 1, gradients)])
        self.compare(model, loop, trained)


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1))
    unittest.main()
