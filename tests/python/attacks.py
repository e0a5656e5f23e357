# SPDX-License-Identifier: Apache-2.0
"""The attacks of an evaluation, written for PyTorch from their papers, for images of one batch and L-infinity balls."""
import math

import torch
import torch.nn.functional as F


def project(x, center, radius):
    return torch.min(torch.max(x, center - radius), center + radius).clamp(0, 1)


def gradient(model, x, loss):
    x = x.detach().requires_grad_(True)
    logits = model(x)
    losses = loss(logits)
    return logits.detach(), losses.detach(), torch.autograd.grad(losses.sum(), x)[0]


def fallen(model, x, labels):
    with torch.no_grad():
        return model(x).argmax(1) != labels


def pgd(model, images, labels, radius, steps, step_size):
    """arXiv 1706.06083, from the images themselves."""
    x = images
    for _ in range(steps):
        _, _, g = gradient(model, x, lambda logits: F.cross_entropy(logits, labels, reduction="none"))
        x = project(x + step_size * g.sign(), images, radius)
    return fallen(model, x, labels)


def targeted_dlr(labels, targets):
    """arXiv 2003.01690, eq. 7."""
    def loss(logits):
        z = logits.sort(1, descending=True)[0]
        of = lambda classes: logits.gather(1, classes[:, None])[:, 0]
        return -(of(labels) - of(targets)) / (z[:, 0] - (z[:, 2] + z[:, 3]) / 2 + 1e-12)
    return loss


def apgd(model, images, labels, radius, loss, steps=100):
    """arXiv 2003.01690, algorithm 1. Who was wrong at any point."""
    checkpoints, p, last = [], [0, 0.22], 0
    while p[-1] <= 1:
        checkpoints.append(math.ceil(round(p[-1] * steps, 6)))
        p.append(p[-1] + max(p[-1] - p[-2] - 0.03, 0.06))
    wide = lambda v: v.view(-1, 1, 1, 1)
    noise = 2 * torch.rand_like(images) - 1
    x = project(images + radius * noise / noise.abs().amax((1, 2, 3), keepdim=True), images, radius)
    before = x
    logits, f, g = gradient(model, x, loss)
    fell = logits.argmax(1) != labels
    best, best_f, best_g = x, f, g
    step = torch.full_like(f, 2 * radius)
    rises, checked_f, halved = torch.zeros_like(f), f.clone(), torch.ones_like(fell)
    for k in range(steps):
        z = project(x + wide(step) * g.sign(), images, radius)
        part = 1 if k == 0 else 0.75
        x, before = project(x + part * (z - x) + (1 - part) * (x - before), images, radius), x
        logits, new_f, g = gradient(model, x, loss)
        fell |= logits.argmax(1) != labels
        rises += new_f > f
        f = new_f
        better = f > best_f
        best, best_g = torch.where(wide(better), x, best), torch.where(wide(better), g, best_g)
        best_f = torch.where(better, f, best_f)
        if k + 1 in checkpoints:
            halve = (rises < 0.75 * (k + 1 - last)) | (~halved & (checked_f >= best_f))
            step = torch.where(halve, step / 2, step)
            x, g = torch.where(wide(halve), best, x), torch.where(wide(halve), best_g, g)
            f = torch.where(halve, best_f, f)
            rises, checked_f, halved, last = torch.zeros_like(f), best_f.clone(), halve, k + 1
    return fell


def apgd_targeted(model, images, labels, radius, targets=9, steps=100):
    """The same on the targeted loss, for each of the likeliest wrong classes."""
    with torch.no_grad():
        order = model(images).argsort(1, descending=True)
    wrong = order[order != labels[:, None]].view(len(images), -1)
    fell = torch.zeros(len(images), dtype=torch.bool)
    for k in range(targets):
        rows = (~fell).nonzero()[:, 0]
        if len(rows):
            loss = targeted_dlr(labels[rows], wrong[rows, k])
            fell[rows] = apgd(model, images[rows], labels[rows], radius, loss, steps)
    return fell


def square(model, images, labels, radius, queries=5000, share=0.8):
    """arXiv 1912.00049, algorithms 1 and 2."""
    n, c, h, w = images.shape
    fell = torch.zeros(n, dtype=torch.bool)
    sign = lambda *shape: 2.0 * torch.randint(2, shape) - 1

    def margin(x, labels):
        with torch.no_grad():
            logits = model(x)
        right = logits.gather(1, labels[:, None])[:, 0]
        return right - logits.scatter(1, labels[:, None], -math.inf).amax(1)

    rows = torch.arange(n)
    best = (images + radius * sign(n, c, 1, w)).clamp(0, 1)
    best_m = margin(best, labels)
    for query in range(1, queries + 1):
        fell[rows[best_m < 0]] = True
        keep = best_m >= 0
        rows, best, best_m = rows[keep], best[keep], best_m[keep]
        if query == queries or not len(rows):
            break
        p = share / 2 ** sum(query > at for at in (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000))
        s = min(max(round(math.sqrt(p * h * w)), 1), h, w)
        new = best.clone()
        for i, row in enumerate(rows.tolist()):
            top, left = torch.randint(h - s + 1, ()), torch.randint(w - s + 1, ())
            window = (slice(None), slice(top, top + s), slice(left, left + s))
            new[i][window] = (images[row][window] + radius * sign(c, 1, 1)).clamp(0, 1)
        m = margin(new, labels[rows])
        better = m < best_m
        best[better], best_m = new[better], torch.where(better, m, best_m)
    return fell
