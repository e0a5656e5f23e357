# SPDX-License-Identifier: Apache-2.0
"""What a worker would train: its tensors, their initial values, its data. Immutable."""
from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Tuple

import numpy

from conadv._wire import crc32c
from conadv._wire.contribution import array_of
from conadv.layout import NO_DECAY, WEIGHT, Tensor
from conadv.v1.job_pb2 import Job
from conadv.v1.tensor_pb2 import Plan as PlanMessage

if TYPE_CHECKING:
    import torch


@dataclasses.dataclass(frozen=True)
class Plan:
    """All workers of a run have to have the same one: what differs is named when the second joins.

    `examples`: how many the training set has. `data_fingerprint`, `model_fingerprint`: any numbers that are the same for
    the same data, and for the same code of the model; conadv-worker's own are functions of its files."""

    tensors: Tuple[Tensor, ...]
    initial: Mapping[str, Any]  # by name, as numpy or torch has them
    examples: int
    data_fingerprint: int = 0
    model_fingerprint: int = 0

    @staticmethod
    def of_module(module: "torch.nn.Module", examples: int, data_fingerprint: int = 0) -> "Plan":
        """Of a torch module's parameters that want a gradient. Those of one dimension or none, as biases are, are not
        decayed. Buffers are not among them: a module with BatchNorm wants its statistics added, as Tensor(kind=STATISTIC)."""
        tensors: List[Tensor] = []
        initial: Dict[str, Any] = {}
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                kind = WEIGHT if parameter.dim() > 1 else NO_DECAY
                tensors.append(Tensor(name, tuple(parameter.shape), kind))
                initial[name] = parameter.detach().clone()
        return Plan(tuple(tensors), initial, examples, data_fingerprint)

    def steps(self, job: Job) -> int:
        """The length of the run."""
        training = job.training
        if training.steps > 0:
            return training.steps
        return max(1, math.floor(training.epochs * self.examples / training.global_batch))

    def message(self, job: Job) -> PlanMessage:
        crc = 0
        for tensor in self.tensors:
            crc = crc32c.extend(crc, numpy.ascontiguousarray(array_of(self.initial[tensor.name]), "<f4").reshape(-1).data)
        return PlanMessage(tensors=[tensor.message() for tensor in self.tensors], examples=self.examples,
                           steps=self.steps(job), data_fingerprint=self.data_fingerprint, initial_weights_crc32c=crc,
                           model_fingerprint=self.model_fingerprint)
