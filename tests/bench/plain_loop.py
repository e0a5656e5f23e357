#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains one of the built-in models in a plain PyTorch loop: what conadv is compared with.

    tests/bench/plain_loop.py --data=cifar10/ --model=resnet20 --epochs=6

Prints one line of JSON. The recipe is conadv's sgd and cosine with warm-up. With --attack each step also makes
adversarial examples (one sign step) and takes their gradient, one after the other, as DisAdv does.
"""
import argparse
import json
import math
import sys
import time

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

MEAN, DEVIATION = [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]


class BasicBlock(nn.Module):
    def __init__(self, before, width, stride):
        super().__init__()
        self.pad, self.stride = (width - before) // 2, stride
        self.conv1 = nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        nn.init.zeros_(self.bn2.weight)

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride > 1:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(out + x)


def resnet20(classes, width=16):
    blocks, before = [], width
    for stage in range(3):
        for block in range(3):
            out = width << stage
            blocks.append(BasicBlock(before, out, 2 if stage and not block else 1))
            before = out
    return nn.Sequential(nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(), *blocks,
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes))


def convnet(classes, width=16):
    layers, before = [], 3
    for out, kernel in ((width, 5), (2 * width, 3), (4 * width, 3)):
        layers += [nn.Conv2d(before, out, kernel, 2, kernel // 2, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        before = out
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * 16, classes))


def initialise(model):
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")


def rate(step, steps, flags):
    warm = round(flags.warmup * steps)
    if step < warm:
        return flags.peak * (step + 1) / warm
    return flags.peak * (1 + math.cos(math.pi * (step - warm) / (steps - warm))) / 2


def attack(model, images, labels, epsilon):
    x = images.clone().requires_grad_(True)
    model.eval()
    gradient, = torch.autograd.grad(F.cross_entropy(model(x), labels, reduction="sum"), x)
    model.train()
    return (images + epsilon * gradient.sign()).detach()


def accuracy(model, dataset, loaders):
    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in torch.utils.data.DataLoader(dataset, 512, num_workers=loaders):
            right += (model(images).argmax(1) == labels).sum().item()
    model.train()
    return right / len(dataset)


def main():
    parser = argparse.ArgumentParser(description="a plain PyTorch loop over folders of 32 x 32 images")
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", choices=("resnet20", "convnet"), default="resnet20")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--parts", type=int, default=1, help="pieces of a batch, whose gradients are added up")
    parser.add_argument("--epochs", type=float, default=1)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--skip", type=int, default=2, help="first steps that are not timed")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--loaders", type=int, default=1, help="processes that decode")
    parser.add_argument("--augment", choices=("none", "crop_flip", "autoaugment"), default="none")
    parser.add_argument("--attack", action="store_true")
    parser.add_argument("--epsilon", type=float, default=8 / 255)
    parser.add_argument("--peak", type=float, default=0.4)
    parser.add_argument("--warmup", type=float, default=0.2)
    parser.add_argument("--weight_decay", type=float, default=5e-4)
    parser.add_argument("--evaluate", action="store_true")
    flags = parser.parse_args()
    torch.set_num_threads(flags.threads)
    torch.manual_seed(1)
    transforms = torchvision.transforms
    read = [transforms.ToTensor(), transforms.Normalize(MEAN, DEVIATION)]
    change = []
    if flags.augment != "none":
        change = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()]
    if flags.augment == "autoaugment":
        change.append(transforms.AutoAugment(transforms.AutoAugmentPolicy.CIFAR10))
    train = torchvision.datasets.ImageFolder(f"{flags.data}/train", transforms.Compose(change + read))
    model = {"resnet20": resnet20, "convnet": convnet}[flags.model](len(train.classes))
    initialise(model)
    decays = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.SGD([{"params": decays, "weight_decay": flags.weight_decay}, {"params": others}], 0.1, 0.9)
    epsilon = flags.epsilon / torch.tensor(DEVIATION).view(3, 1, 1)
    steps = flags.steps or int(flags.epochs * len(train) / flags.batch)
    loader = torch.utils.data.DataLoader(train, flags.batch, shuffle=True, drop_last=True, num_workers=flags.loaders,
                                         persistent_workers=flags.loaders > 0)
    step, begin = 0, time.monotonic()
    while step < steps:
        for images, labels in loader:
            if step == flags.skip:
                begin = time.monotonic()
            for group in optimizer.param_groups:
                group["lr"] = rate(step, steps, flags)
            optimizer.zero_grad()
            for x, y in zip(images.chunk(flags.parts), labels.chunk(flags.parts)):
                if flags.attack:
                    (F.cross_entropy(model(attack(model, x, y, epsilon)), y) / flags.parts).backward()
                loss = F.cross_entropy(model(x), y) / flags.parts
                loss.backward()
            optimizer.step()
            if flags.evaluate and step % 100 == 99:
                print(f"step {step + 1} of {steps}: loss {loss.item() * flags.parts:.3f}", file=sys.stderr, flush=True)
            step += 1
            if step == steps:
                break
    seconds = time.monotonic() - begin
    result = {"examples_per_second": (steps - flags.skip) * flags.batch / seconds, "steps": steps}
    if flags.evaluate:
        test = torchvision.datasets.ImageFolder(f"{flags.data}/test", transforms.Compose(read))
        result["clean_accuracy"] = accuracy(model, test, flags.loaders)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
