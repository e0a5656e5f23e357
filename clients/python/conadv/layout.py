# SPDX-License-Identifier: Apache-2.0
"""Where each tensor of a run lies: a pure function of (tensors, shards), as in every other process of a run. Immutable."""
from __future__ import annotations

import dataclasses
import math
from typing import Dict, List, Sequence, Tuple

import numpy

from conadv.errors import CorruptError, RefusedError
from conadv.v1 import tensor_pb2
from conadv.v1.parameter_server_pb2 import DescribeResponse
from conadv.v1.tensor_pb2 import Tensor as TensorMessage

ALIGNMENT = 16  # elements

WEIGHT = TensorMessage.WEIGHT
NO_DECAY = TensorMessage.NO_DECAY
STATISTIC = TensorMessage.STATISTIC
SHARED = TensorMessage.SHARED
MAIN = TensorMessage.MAIN
AUXILIARY = TensorMessage.AUXILIARY
AUGMENTED = TensorMessage.AUGMENTED

_ORDER: Dict[int, int] = {MAIN: 0, SHARED: 1, AUXILIARY: 2, AUGMENTED: 3}  # of the arena


@dataclasses.dataclass(frozen=True)
class Tensor:
    """One tensor of float32. `kind` and `branch` as proto/conadv/v1/tensor.proto has them."""

    name: str
    shape: Tuple[int, ...]
    kind: int = WEIGHT
    branch: int = SHARED
    momentum: float = 0.0  # of a STATISTIC
    batches: int = 0  # of a STATISTIC without momentum

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def padded_size(self) -> int:
        return -(-self.size // ALIGNMENT) * ALIGNMENT

    def message(self) -> tensor_pb2.Tensor:
        return tensor_pb2.Tensor(name=self.name, shape=self.shape, kind=self.kind,  # type: ignore[arg-type]
                                 branch=self.branch, momentum=self.momentum,  # type: ignore[arg-type]
                                 batches=self.batches)

    @staticmethod
    def of(message: tensor_pb2.Tensor) -> "Tensor":
        return Tensor(message.name, tuple(message.shape), message.kind, message.branch, message.momentum,
                      message.batches)


@dataclasses.dataclass(frozen=True)
class Placement:
    """A tensor begins at element `offset` of the arena of shard `shard`."""

    tensor: Tensor
    shard: int
    offset: int


@dataclasses.dataclass(frozen=True)
class Stream:
    """What each unit contributes one of. `index` is what pushes number it by."""

    index: int
    name: str
    branch: int


@dataclasses.dataclass(frozen=True)
class Layout:
    """`placements`: in the model's order. `hash`: equal for equal layouts."""

    placements: Tuple[Placement, ...]
    arena_sizes: Tuple[int, ...]
    hash: int

    @property
    def shards(self) -> int:
        return len(self.arena_sizes)

    @property
    def size_bytes(self) -> int:
        """Of one version, padding and all."""
        return 4 * sum(self.arena_sizes)

    def branch_range(self, shard: int, branch: int) -> Tuple[int, int]:
        """The part of a shard's arena that a stream of the branch covers: its tensors and SHARED ones."""
        branches = {placement.tensor.branch for placement in self.placements}
        if not branches & {AUXILIARY, AUGMENTED}:
            return 0, self.arena_sizes[shard]
        ends = [0, 0, 0, 0]  # of MAIN, SHARED, …
        for placement in self.placements:
            if placement.shard == shard:
                order = _ORDER[placement.tensor.branch]
                ends[order] = max(ends[order], placement.offset + placement.tensor.padded_size)
        for order in range(1, 4):
            ends[order] = max(ends[order], ends[order - 1])
        ranges: Dict[int, Tuple[int, int]] = {SHARED: (ends[0], ends[1]), MAIN: (0, ends[1]),
                                              AUXILIARY: (ends[0], ends[2]), AUGMENTED: (ends[0], ends[3])}
        return ranges[branch]

    @staticmethod
    def create(tensors: Sequence[Tensor], shards: int) -> "Layout":
        """Each tensor whole, the largest first on the least loaded shard."""
        if not 0 < shards <= len(tensors):
            raise RefusedError(f"{shards} shards for {len(tensors)} tensors: each shard needs at least one")
        if len({tensor.name for tensor in tensors}) < len(tensors):
            raise RefusedError("two tensors have the same name")
        load = [0] * shards
        members: List[List[int]] = [[] for _ in range(shards)]
        for index in sorted(range(len(tensors)), key=lambda i: -tensors[i].padded_size):
            shard = min(range(shards), key=load.__getitem__)
            load[shard] += tensors[index].padded_size
            members[shard].append(index)
        placed: Dict[int, Placement] = {}
        sizes = []
        for shard, indices in enumerate(members):
            offset = 0
            for index in sorted(indices, key=lambda i: (_ORDER[tensors[i].branch], i)):
                placed[index] = Placement(tensors[index], shard, offset)
                offset += tensors[index].padded_size
            sizes.append(offset)
        placements = tuple(placed[index] for index in range(len(tensors)))
        return Layout(placements, tuple(sizes), _hash(placements, shards))

    @staticmethod
    def of(described: DescribeResponse) -> "Layout":
        """Made from the tensors, and compared with what the server says."""
        layout = Layout.create([Tensor.of(entry.tensor) for entry in described.entries], described.shards)
        if layout.hash != described.layout_hash:
            raise CorruptError(f"the layout of shard {described.shard} is not the one that this client works out (hash "
                               f"{described.layout_hash:x}, ours is {layout.hash:x}); use the client of the servers' version")
        return layout


def streams_of(described: DescribeResponse) -> Tuple[Stream, ...]:
    return tuple(Stream(index, stream.name, stream.branch) for index, stream in enumerate(described.streams))


def _hash(placements: Sequence[Placement], shards: int) -> int:
    """FNV-1a, as common/tensor/layout.cc has it."""
    parts = [shards.to_bytes(8, "little")]
    for placement in placements:
        tensor = placement.tensor
        name = tensor.name.encode()
        momentum = float(numpy.float32(tensor.momentum) * numpy.float32(1e9))
        numbers = [len(name), *tensor.shape, len(tensor.shape), tensor.kind, tensor.branch, math.floor(momentum + 0.5)]
        if tensor.kind == STATISTIC and tensor.momentum == 0:
            numbers.append(tensor.batches)
        numbers += [placement.shard, placement.offset]
        parts += [name, *(number.to_bytes(8, "little") for number in numbers)]
    value = 0xCBF29CE484222325
    for byte in b"".join(parts):
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value or 1
