# SPDX-License-Identifier: Apache-2.0
"""Pulls one version of all shards: the same version and lineage in every tensor, or an error. Pure but for the calls."""
from __future__ import annotations

import concurrent.futures
import dataclasses
from typing import Any, List, Optional, Sequence

import numpy
import numpy.typing

from conadv import errors
from conadv._wire.calls import Deadline, Server, transfer_allowance
from conadv._wire.rounding import widen
from conadv.v1.parameter_server_pb2 import BFLOAT16, FLOAT32, PullRequest, PullResponse

_METHOD = "/conadv.v1.ParameterServer/Pull"
# Of one call that waits for its version. It is made again then, so that one to a server that is gone does not wait for ever.
_LONG_POLL = 20.0
# Of the other shards' calls once one has chosen: who lags longer may be waiting for the very unit that these weights are for.
_LAGGING = 0.25
_MOST_CHOICES = 100
_MOST_AT_ONCE = 8  # shards

Array = numpy.typing.NDArray[numpy.float32]


@dataclasses.dataclass(frozen=True)
class Part:
    """One shard's arena of one version."""

    version: int
    lineage: int
    layout_hash: int
    arena: Array


class RunWentBack(errors.UnavailableError):
    """Between two shards' answers."""


def _receive(server: Server, request: PullRequest, timeout: float) -> Part:
    header: Optional[Any] = None
    arena: Optional[Array] = None
    received = 0
    width = 2 if request.element_type == BFLOAT16 else 4
    for chunk in server.stream(_METHOD, request, PullResponse, timeout):
        if chunk.HasField("header") != (header is None):
            raise errors.CorruptError(f"{server.who}: a pull's first chunk, and no other, has the header")
        if header is None:
            header = chunk.header
            if header.element_type != request.element_type:
                raise errors.CorruptError(f"{server.who}: its values are of another type than was asked for")
            arena = numpy.empty(header.size, dtype=numpy.float32)
        assert arena is not None
        size, rest = divmod(len(chunk.payload), width)
        if rest or chunk.offset != received or size > arena.size - received:
            raise errors.CorruptError(f"{server.who}: a chunk of {len(chunk.payload)} bytes at element {chunk.offset}, "
                                      f"expected one at {received} within {arena.size} elements")
        values = widen(chunk.payload) if width == 2 else numpy.frombuffer(chunk.payload, dtype="<f4")
        arena[received:received + size] = values
        received += size
    if header is None or arena is None or received != arena.size:
        raise errors.CorruptError(f"{server.who}: the pull ended after {received} elements")
    return Part(header.version, header.lineage, header.layout_hash, arena)


class ShardedPull:
    """What to pull, from whom. `selector`: of PullRequest, as in {"version": 3}; only `version` may be answered by all
    shards at once, else the first chooses."""

    def __init__(self, servers: Sequence[Server], selector: PullRequest, size_bytes: int, deadline: Deadline) -> None:
        self._servers = servers
        self._selector = selector
        self._deadline = deadline
        self._allowance = transfer_allowance(max(size_bytes, 64 << 20) // max(len(servers), 1))

    def run(self) -> List[Part]:
        """By shard. NotYetError: not in time. EvictedError, LineageOverError, UnavailableError, …: the servers'."""
        if self._selector.WhichOneof("selector") == "version":
            parts = self._all(range(len(self._servers)), self._selector, patient=True)
            return self._of_one_lineage(parts)
        chooser = 0
        for _ in range(_MOST_CHOICES):
            first = self._one(chooser, self._selector, patient=True)
            others = [shard for shard in range(len(self._servers)) if shard != chooser]
            request = PullRequest(version=first.version, lineage=self._selector.lineage,
                                  averaged=self._selector.averaged, element_type=self._selector.element_type)
            lagging: List[int] = []
            try:
                parts = self._all(others, request, patient=False, lagging=lagging)
            except errors.EvictedError:
                continue
            except errors.NotYetError:
                if not self._deadline.left():
                    raise
                # What the lagging shard has, the others have kept.
                chooser = lagging[0]
                continue
            parts.insert(chooser, first)
            return self._of_one_lineage(parts)
        raise errors.EvictedError(f"versions are gone before all shards could answer, {_MOST_CHOICES} times: raise "
                                  "server.retain in the job")

    def _of_one_lineage(self, parts: List[Part]) -> List[Part]:
        if len({part.lineage for part in parts}) > 1 or len({part.layout_hash for part in parts}) > 1:
            raise RunWentBack("the run goes back to a checkpoint meanwhile")
        if len({part.version for part in parts}) > 1:
            raise errors.CorruptError("the shards answered with different versions")
        return parts

    def _all(self, shards: Sequence[int], request: PullRequest, patient: bool,
             lagging: Optional[List[int]] = None) -> List[Part]:
        def one(shard: int) -> Part:
            try:
                return self._one(shard, request, patient)
            except errors.NotYetError:
                if lagging is not None:
                    lagging.append(shard)
                raise

        if len(shards) <= 1:
            return [one(shard) for shard in shards]
        with concurrent.futures.ThreadPoolExecutor(min(len(shards), _MOST_AT_ONCE)) as pool:
            return list(pool.map(one, shards))

    def _one(self, shard: int, request: PullRequest, patient: bool) -> Part:
        while True:
            left = self._deadline.left()
            most = (_LONG_POLL if patient else _LAGGING) + self._allowance
            try:
                return _receive(self._servers[shard], request, min(left, most))
            except errors.NotYetError:
                if not patient or not self._deadline.left():
                    which = request.WhichOneof("selector")
                    what = f"version {request.version}" if which == "version" else "a version"
                    raise errors.NotYetError(f"{self._servers[shard].who}: {what} has not come in time") from None


def request_of(selector: Any, averaged: bool, bfloat16: bool, lineage: int) -> PullRequest:
    return PullRequest(averaged=averaged, element_type=BFLOAT16 if bfloat16 else FLOAT32, lineage=lineage, **selector)
