# SPDX-License-Identifier: Apache-2.0
"""Takes part in a run as a worker: joins, gets units of work, contributes, and joins again after a fault. One thread."""
from __future__ import annotations

import heapq
import math
import os
import socket
import time
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple, Union

from conadv import errors
from conadv._wire import contribution
from conadv._wire.calls import Backoff, Deadline
from conadv._wire.push import push
from conadv._wire.random import unit_examples
from conadv._wire.session import Asked, Closed, Event, Finished, Granted, Session, Welcomed
from conadv.layout import Layout
from conadv.plan import Plan
from conadv.run import Run
from conadv.v1.coordinator_pb2 import WORKER, Heartbeat, Hello
from conadv.v1.job_pb2 import BF16, Training
from conadv.v1.parameter_server_pb2 import PushHeader
from conadv.weights import Weights

# How long a unit's weights are waited for before the coordinator is heard again: it may have granted another whose turn is first.
_LOOK = 0.5
# A session that lasted so long works, though there may have been nothing to do.
_WORKS = 10.0
# What a coordinator says for good; whatever else may be otherwise at the next try.
_LAST_WORDS = ("INVALID_ARGUMENT", "ABORTED", "PERMISSION_DENIED", "UNAUTHENTICATED", "UNIMPLEMENTED")


class _StepOverError(errors.EvictedError):
    """The unit's step is over: somebody else was asked to do it as well."""


class Unit:
    """Slot `slot` of step `step`, with the weights that its gradients are to be computed with. A context manager:

        with unit:
            ...
            unit.push("clean", gradients, loss=loss, accuracy=accuracy)

    The unit is done when the block ends, and failed if it raises: then another worker gets it. What is not wanted any
    more, as the run went back to a checkpoint or somebody was faster, ends the block without an error."""

    def __init__(self, worker: "Worker", session: Session, step: int, slot: int, weights: Weights) -> None:
        self.step = step
        self.slot = slot
        self.weights = weights
        self._worker = worker
        self._session = session
        self._attack: Optional[Weights] = None

    def __repr__(self) -> str:
        return f"<conadv.Unit: slot {self.slot} of step {self.step}>"

    def examples(self) -> List[int]:
        """The training examples that it consists of, as numbers from 0 on: the same for every worker."""
        job, plan = self._worker.run.job, self._worker.plan
        training = job.training
        step = self.step // training.replays if training.algorithm == Training.FREE else self.step
        return unit_examples(job.seed, plan.examples, training.slots, training.global_batch // training.slots, step,
                             self.slot)

    def attack_weights(self) -> Weights:
        """Those that its images are to be attacked with: training.tau versions older."""
        if self._attack is None:
            self._attack = self._worker.weights_before(self.weights)
        return self._attack

    def push(self, stream: Union[str, int], gradients: Mapping[str, Any], *, loss: float = 0.0, accuracy: float = 0.0,
             attacked: Optional[bool] = None) -> bool:
        """One of the unit's streams, see Run.push. False: somebody has contributed it already. `attacked`: whether its
        images were attacked with attack_weights(); by default those of "adversarial" were, if that was called."""
        if attacked is None:
            attacked = self._attack is not None and stream == "adversarial"
        attack = self.attack_weights().version if attacked else self.weights.version
        return self._worker.run.push(self.step, self.slot, stream, gradients, update_version=self.weights.version,
                                     attack_version=attack, loss=loss, accuracy=accuracy, worker=self._worker.name,
                                     lineage=self.weights.lineage)

    def __enter__(self) -> "Unit":
        return self

    def __exit__(self, kind: Any, error: Optional[BaseException], trace: Any) -> bool:
        if error is None or isinstance(error, _StepOverError):
            self._worker.units_done += 1
            self._session.done(self.step, self.slot)
            return True
        if isinstance(error, errors.LineageOverError):
            return True
        if isinstance(error, errors.UnavailableError):
            self._session.cancel()  # and join anew: so do all when a shard is lost
            return True
        if isinstance(error, Exception):
            self._session.failed(self.step, self.slot, f"{type(error).__name__}: {error}"[:500])
        return False


class Worker:
    """with conadv.Worker(run, plan) as worker: for unit in worker.units(): …

    Joins when the block begins, leaves when it ends; what it holds then goes to others. A worker that computes one unit for
    longer than the job's server.unit_timeout_seconds is told to end."""

    def __init__(self, run: Run, plan: Plan, name: Optional[str] = None) -> None:
        self.run = run
        self.plan = plan
        self.name = name or f"{socket.gethostname()}-{os.getpid()}"
        self.units_done = 0
        self._message = plan.message(run.job)
        self._session: Optional[Session] = None
        self._lineage = 0
        self._granted: List[Tuple[int, int]] = []  # a heap
        self._cache: Dict[int, Weights] = {}  # by version: as many as attacks look back, and one
        self._over = False
        self._welcomed = math.inf  # when the coordinator did, by the monotonic clock

    def __enter__(self) -> "Worker":
        self._join()
        return self

    def __exit__(self, *_: Any) -> None:
        if self._session is not None:
            self._session.leave()
            self._session = None

    def units(self) -> Iterator[Unit]:
        """What the coordinator grants, the oldest step first, each when its weights are there; ends with the run.

        RunFailedError: the run has failed. RefusedError: it does not take this worker. UnavailableError: no coordinator, or
        no session that works, for `run.timeout` seconds."""
        failing: Optional[Backoff] = None
        while not self._over:
            try:
                unit = self._next()
            except errors.LineageOverError:
                self._drop()  # the coordinator ends the session, too
                continue
            except errors.UnavailableError:
                self._drop()
                if failing is None or time.monotonic() - self._welcomed > _WORKS:
                    failing = Backoff(Deadline(self.run.timeout), self.run._closing)
                self._welcomed = math.inf
                if not failing.wait():
                    raise
                self._join_again()
                continue
            if unit is not None:
                done = self.units_done
                yield unit
                if self.units_done > done:
                    failing = None

    def weights_before(self, weights: Weights) -> Weights:
        """Those that attacks on a unit of these weights use."""
        back = self.run.job.training.tau
        if self.run.job.training.algorithm != Training.CONADV or back == 0 or weights.version == 0:
            return weights
        try:
            return self._pull(max(0, weights.version - back))
        except errors.EvictedError as error:
            if self._sync:
                raise _StepOverError(str(error)) from None
            return weights  # the others are faster than τ: what is measured says so

    def _join(self) -> None:
        hello = Hello(role=WORKER, name=self.name, threads=1, plan=self._message)
        self._session = Session(self.run._coordinator(), hello, self._beat)

    def _join_again(self) -> None:
        if self._session is not None:
            self._session.cancel()
        self.run._forget()
        self.run._same_job()
        self._join()

    def _beat(self) -> Heartbeat:
        heartbeat = Heartbeat()
        heartbeat.stats.units_done = self.units_done
        return heartbeat

    def _drop(self) -> None:
        """Whatever was granted or pulled belongs to a session or a lineage that is over."""
        self._granted.clear()
        self._cache.clear()

    def _next(self) -> Optional[Unit]:
        """None: look again."""
        session = self._session
        if session is None:
            raise RuntimeError("a worker's units come inside its block: with conadv.Worker(…) as worker")
        event = session.next(0 if self._granted else _LOOK)
        if event is not None:
            self._on(session, event)
            return None
        if not self._granted:
            return None
        step, slot = self._granted[0]
        try:
            weights = self._weights_for(step)
        except (errors.NotYetError, errors.UnavailableError):
            return None  # should a shard be lost, the coordinator ends the session
        except errors.EvictedError:
            heapq.heappop(self._granted)
            session.done(step, slot)  # its step is over
            return None
        heapq.heappop(self._granted)
        return Unit(self, session, step, slot, weights)

    def _on(self, session: Session, event: Event) -> None:
        if isinstance(event, Welcomed):
            self._drop()
            self._welcomed = time.monotonic()
            self._lineage = event.lineage
        elif isinstance(event, Asked):
            self._offer()
            session.offered()
        elif isinstance(event, Granted):
            for unit in event.units:
                heapq.heappush(self._granted, unit)
        elif isinstance(event, Finished):
            self._over = True
        elif isinstance(event, Closed):
            raise _why(event.error)

    def _offer(self) -> None:
        addresses = self.run.servers()
        layout = Layout.create(self.plan.tensors, len(addresses))
        header = PushHeader(worker=self.name, lineage=self._lineage)
        header.initial_weights.plan.CopyFrom(self._message)
        deadline = Deadline(self.run.timeout)
        for shard, (begin, values) in enumerate(contribution.of_initial(layout, self.plan.initial)):
            push(self.run._servers.at(shard, addresses[shard]), header, begin, values, deadline, self.run._closing)

    def _weights_for(self, step: int) -> Weights:
        if self._sync:
            return self._pull(step)
        return self._keep(self.run.pull(lineage=self._lineage, timeout=_LOOK, bfloat16=self._short))

    @property
    def _sync(self) -> bool:
        return self.run.job.training.consistency == Training.SYNC

    @property
    def _short(self) -> bool:
        return self.run.job.wire.weights == BF16

    def _pull(self, version: int) -> Weights:
        if version not in self._cache:
            self._keep(self.run.pull(version, lineage=self._lineage, timeout=_LOOK, bfloat16=self._short))
        return self._cache[version]

    def _keep(self, weights: Weights) -> Weights:
        self._cache[weights.version] = weights
        while len(self._cache) > self.run.job.training.tau + 2:
            del self._cache[min(self._cache)]
        return weights


def _why(error: Optional[errors.Error]) -> errors.Error:
    if error is None:
        return errors.UnavailableError("the coordinator ended the session")
    if error.code == "ABORTED":
        return errors.RunFailedError(str(error))
    if error.code in _LAST_WORDS:
        return error
    return error if isinstance(error, errors.UnavailableError) else errors.UnavailableError(str(error))
