#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes torchvision's ResNet-18 as a TorchScript file that conadv trains.

    python3 examples/export_resnet18.py [--classes=10] [--channels=3] [--out=net.pt]

Any torch.nn.Module that maps images [n, c, h, w] to logits [n, classes] goes the same way: put yours in `model`.
"""
import argparse

import torch
import torchvision

flags = argparse.ArgumentParser(description="writes torchvision's ResNet-18 as a TorchScript file")
flags.add_argument("--classes", type=int, default=10)
flags.add_argument("--channels", type=int, default=3)
flags.add_argument("--seed", type=int, default=1)
flags.add_argument("--out", default="net.pt")
args = flags.parse_args()

torch.manual_seed(args.seed)  # the initial weights are in the file
model = torchvision.models.resnet18(num_classes=args.classes)
if args.channels != 3:
    model.conv1 = torch.nn.Conv2d(args.channels, 64, kernel_size=7, stride=2, padding=3, bias=False)

# Scripted, not traced: a trace writes down one mode of BatchNorm and dropout.
torch.jit.script(model).save(args.out)
print(f"{args.out}: train it with  conadv train --set model.torchscript={args.out}")
