# SPDX-License-Identifier: Apache-2.0
"""Iterators that follow a run, over cut connections and roll-backs. One thread each."""
from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Iterator, Optional, Tuple, Union

from conadv import errors
from conadv._wire.calls import Backoff, Deadline
from conadv.v1.inspector_pb2 import (MetricsRecord, StalenessResponse, StatusResponse, WatchMetricsRequest,
                                     WatchStalenessRequest)

if TYPE_CHECKING:
    from conadv.run import Run
    from conadv.weights import Weights

_FOR_EVER = 1e9
# Of one wait, so that a run that goes back, or is over while its servers stay, is noticed.
_LOOK = 20.0
_LAST_LOOK = 1.0  # the same once the last version is there


@dataclasses.dataclass(frozen=True)
class WentBack:
    """The run went back to a checkpoint: what came of later versions than `version` is void."""

    version: int
    lineage: int


def versions(run: "Run", every: int, first: int, averaged: bool, timeout: Optional[float]) -> "Iterator[Weights]":
    if every < 1:
        raise ValueError(f"every: at least 1, got {every}")
    lineage = 0
    after = first - 1  # the last one that was given
    deadline = Deadline(_FOR_EVER if timeout is None else timeout)
    away = Deadline(run.timeout)
    while True:
        described = run.describe()
        if lineage and described.lineage not in (0, lineage):
            status = run.status()
            lineage, after = 0, min(after, status.restored_version)
        last = described.final_version
        wanted = -(-(after + 1) // every) * every
        if last:
            wanted = min(wanted, last)
        try:
            weights = run.pull(wanted, averaged=averaged, lineage=lineage, timeout=min(_LOOK, deadline.left()))
        except errors.EvictedError:
            # We are too slow, or this is past the last: the next that may still come.
            after = max(after, run.describe().latest_version - 1)
            continue
        except errors.LineageOverError:
            continue
        except errors.UnavailableError:
            if not away.left():
                raise
            continue
        except errors.NotYetError:
            if not deadline.left():
                raise
            away = Deadline(run.timeout)
            continue
        yield weights
        away = Deadline(run.timeout)
        after, lineage = weights.version, weights.lineage
        if last and after >= last:
            return
        deadline = Deadline(_FOR_EVER if timeout is None else timeout)


def _lineage_of(status: StatusResponse) -> int:
    # Without a last version there is no plan yet, so no record either.
    return status.lineage if status.final_version else 0


def metrics(run: "Run", after: int) -> Iterator[Union[MetricsRecord, WentBack]]:
    lineage, skip = 0, after
    away = Backoff(Deadline(run.timeout), run._closing)
    while True:
        status = run.status()
        current = _lineage_of(status)
        if not current:
            # It has not begun, or goes back, however long that takes: there is somebody who says so.
            if not Backoff(Deadline(_FOR_EVER), run._closing).wait():
                raise errors.UnavailableError("this run's object is closed")
            continue
        if lineage and current != lineage:
            skip = 0
            yield WentBack(status.restored_version, current)
        lineage = current
        look = _LAST_LOOK if status.version >= status.final_version else _LOOK
        request = WatchMetricsRequest(after=skip, lineage=lineage)
        try:
            for record in run._coordinator().stream("/conadv.v1.Inspector/WatchMetrics", request, MetricsRecord, look):
                skip = record.index + 1
                yield record
                away = Backoff(Deadline(run.timeout), run._closing)
            return
        except errors.NotYetError:
            if status.phase == StatusResponse.FINISHED:
                return
        except (errors.UnavailableError, errors.LineageOverError):
            if not away.wait():
                raise


def staleness(run: "Run", interval: float) -> Iterator[StalenessResponse]:
    backoff = Backoff(Deadline(run.timeout), run._closing)
    seen: Tuple[int, int] = (0, 0)  # the version that came last, and the run's last one
    while True:
        try:
            seen = seen[0], run.describe().final_version
            request = WatchStalenessRequest(interval_seconds=interval)
            for response in run._coordinator().stream("/conadv.v1.Inspector/WatchStaleness", request, StalenessResponse,
                                                      None):
                seen = response.version, seen[1]
                yield response
                backoff = Backoff(Deadline(run.timeout), run._closing)
                if 0 < seen[1] <= seen[0] and run.status().phase == StatusResponse.FINISHED:
                    return
        except errors.UnavailableError:
            # A server goes when the run is over.
            if 0 < seen[1] <= seen[0]:
                return
            if not backoff.wait():
                raise
