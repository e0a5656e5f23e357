#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A model from Python trains as a plain PyTorch loop trains it: own_model_test.py BINARIES."""
import copy
import json
import pathlib
import sys
import tempfile
import unittest

import torch
import torch.nn.functional as F
import torchvision

import runs

BINARIES = None
EXAMPLES, STEPS, RATE, MOMENTUM, DECAY, EPSILON, STEP_SIZE = 16, 5, 0.002, 0.9, 1e-3, 1.0, 0.5


def is_norm(module):
    return isinstance(module, torch.nn.modules.batchnorm._BatchNorm)


def smooth(module):
    """Puts smooth functions in the place of those with kinks. One of the last ReLU's 8,192 inputs within 5e-6 of 0 is
    enough: with the same images to 7e-8 float32 and float64 then differ by 2.7 % in the first layer's gradient."""
    for name, child in module.named_children():
        if isinstance(child, torch.nn.ReLU):
            setattr(module, name, torch.nn.SiLU())
        elif isinstance(child, torch.nn.MaxPool2d):
            setattr(module, name, torch.nn.AvgPool2d(3, 2, 1))
        else:
            smooth(child)


class PlainLoop:
    """The formulas of docs and paper, in the fewest lines. All examples are one batch: their order does not matter."""

    def __init__(self, model, algorithm, mixture, clip=0):
        self.main = model
        self.auxiliary = copy.deepcopy(model)
        self.mixture = mixture
        self.clip = clip
        self.norms = []
        self.tau = {"VANILLA": 0, "DISADV": 0, "CONADV": 1}[algorithm]
        self.attacks = algorithm != "VANILLA"
        self.velocity = {}
        self.images, self.labels = runs.images_and_labels(EXAMPLES)
        self.past = []

    def logits(self, model, images):
        return model(runs.normalised(images))

    def attack(self, model):
        x = self.images.clone().requires_grad_(True)
        model.eval()
        gradient, = torch.autograd.grad(F.cross_entropy(self.logits(model, x), self.labels, reduction="sum"), x)
        norm = gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
        return (self.images + STEP_SIZE * gradient / norm).clamp(0, 1).detach()

    def gradients(self, model, images):
        model.train()
        model.zero_grad()
        F.cross_entropy(self.logits(model, images), self.labels).backward()
        return {name: p.grad.clone() for name, p in model.named_parameters()}

    def step(self):
        adversary = self.auxiliary if self.mixture else self.main
        self.past.append(copy.deepcopy(adversary))
        clean_norms = {n: b.clone() for n, b in self.main.named_buffers()}
        clean = self.gradients(self.main, self.images)
        if not self.attacks:
            return self.update({("main", n): g for n, g in clean.items()})
        after_clean = {n: b.clone() for n, b in self.main.named_buffers()}
        if not self.mixture:  # both passes begin with the same statistics, and their means are averaged
            for n, b in self.main.named_buffers():
                b.copy_(clean_norms[n])
        images = self.attack(self.past[max(0, len(self.past) - 1 - self.tau)])
        adversarial = self.gradients(adversary, images)
        if not self.mixture:
            for n, b in self.main.named_buffers():
                if b.is_floating_point():
                    b.copy_((b + after_clean[n]) / 2)
        norms = {f"{m}.{p}" for m, module in self.main.named_modules() if is_norm(module) for p in ("weight", "bias")}
        gradients = {}
        for name, gradient in clean.items():
            if self.mixture and name in norms:
                gradients["main", name] = gradient
                gradients["auxiliary", name] = adversarial[name]
            else:
                gradients["main", name] = gradient + adversarial[name]
        self.update(gradients)
        if self.mixture:  # everything but BatchNorm is shared
            shared = dict(self.main.named_parameters())
            with torch.no_grad():
                for name, p in self.auxiliary.named_parameters():
                    if name not in norms:
                        p.copy_(shared[name])

    def update(self, gradients):
        tensors = {"main": dict(self.main.named_parameters()), "auxiliary": dict(self.auxiliary.named_parameters())}
        if self.clip:
            for (which, name), gradient in gradients.items():
                tensors[which][name].grad = gradient
            clipped = [tensors[which][name] for which, name in gradients]
            self.norms.append(torch.nn.utils.clip_grad_norm_(clipped, self.clip).item())
        with torch.no_grad():
            for (which, name), gradient in gradients.items():
                p = tensors[which][name]
                gradient = gradient + (DECAY * p if p.dim() > 1 else 0)
                self.velocity[which, name] = MOMENTUM * self.velocity.get((which, name), 0) + gradient
                p -= RATE * self.velocity[which, name]


class OwnModelTest(unittest.TestCase):
    def check(self, algorithm, mixture, momentum=0.1, clip=0):
        torch.manual_seed(1)
        torch.set_num_threads(1)
        model = torchvision.models.resnet18(num_classes=10)
        model.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
        if algorithm != "VANILLA":
            smooth(model)
        for module in model.modules():
            if is_norm(module):
                module.momentum = momentum
        # With statistics that are nobody's the attack's logits are saturated, and its direction is noise.
        with torch.no_grad():
            for _ in range(30):
                model(runs.normalised(runs.images_and_labels(EXAMPLES)[0]))
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "net.pt"
            torch.jit.script(model).save(path)
            settings = {"model.torchscript": path, "training.algorithm": algorithm, "dataset.limit": EXAMPLES,
                        "training.global_batch": EXAMPLES, "training.slots": 1, "training.steps": STEPS,
                        "training.mixture_batch_norm": str(mixture).lower(), "attack.step": "L2",
                        "attack.step_size": STEP_SIZE, "attack.epsilon": EPSILON,
                        "optimizer.sgd.momentum": MOMENTUM, "optimizer.sgd.weight_decay": DECAY,
                        "schedule.peak": RATE}
            if algorithm == "VANILLA":
                settings.pop("training.mixture_batch_norm")
            if clip:
                settings["optimizer.global_clip_norm"] = clip
            out = pathlib.Path(directory) / "run"
            runs.train(BINARIES, out, settings, servers=2)
            trained = torch.jit.load(out / "model.pt")
            records = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
            norms = [record["step"]["gradient_norm"] for record in records if "step" in record and clip]
        began = copy.deepcopy(model.state_dict())
        loop = PlainLoop(model, algorithm, mixture, clip)
        for _ in range(STEPS):
            loop.step()
        expected = loop.main.state_dict()
        self.assertEqual(set(trained.state_dict()), set(expected))
        for name, value in trained.state_dict().items():
            if not value.is_floating_point():
                self.assertTrue(value.equal(expected[name]), name)
                continue
            distance = (value - expected[name]).norm() / expected[name].norm().clamp_min(1e-3)
            self.assertLess(distance.item(), 1e-4, name)
        self.assertEqual(len(norms), len(loop.norms))
        for norm, by_pytorch in zip(norms, loop.norms):
            self.assertLess(abs(norm / by_pytorch - 1), 1e-4)
            self.assertGreater(norm, clip)  # or nothing was clipped
        moved = (expected["fc.weight"] - began["fc.weight"]).norm() / began["fc.weight"].norm()
        self.assertGreater(moved.item(), 1e-2)  # or nothing was compared

    def test_vanilla(self):
        self.check("VANILLA", False)

    def test_clipped_by_the_norm_of_all_tensors_with_mixture(self):
        self.check("CONADV", True, clip=5)

    def test_vanilla_with_means_of_all_batches(self):
        self.check("VANILLA", False, momentum=None)

    def test_conadv_with_mixture_and_means_of_all_batches(self):
        self.check("CONADV", True, momentum=None)

    def test_disadv(self):
        self.check("DISADV", False)

    def test_disadv_with_mixture(self):
        self.check("DISADV", True)

    def test_conadv(self):
        self.check("CONADV", False)

    def test_conadv_with_mixture(self):
        self.check("CONADV", True)


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1))
    unittest.main()
