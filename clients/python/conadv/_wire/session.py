# SPDX-License-Identifier: Apache-2.0
"""One Join stream with the coordinator: requests out in order, events in, heartbeats by themselves. When it breaks it is over; who
wants to go on starts another. Thread-safe."""
from __future__ import annotations

import dataclasses
import queue
import random
import threading
from typing import Callable, Iterator, List, Optional, Tuple, Union

from conadv import errors
from conadv._wire.calls import Server
from conadv.v1.coordinator_pb2 import Done, Failed, Heartbeat, Hello, JoinRequest, JoinResponse, Unit

_METHOD = "/conadv.v1.Coordinator/Join"
_LEAVE = 5.0  # seconds for the coordinator to end the stream


@dataclasses.dataclass(frozen=True)
class Welcomed:
    member: int
    lineage: int
    steps: int


@dataclasses.dataclass(frozen=True)
class Asked:
    """For the initial weights."""


@dataclasses.dataclass(frozen=True)
class Granted:
    units: Tuple[Tuple[int, int], ...]  # (step, slot)


@dataclasses.dataclass(frozen=True)
class Finished:
    """The run is over: leave."""


@dataclasses.dataclass(frozen=True)
class Closed:
    """The last event. No error: the coordinator ended the stream, as it does after a leave."""

    error: Optional[errors.Error]


Event = Union[Welcomed, Asked, Granted, Finished, Closed]


class Session:
    """`heartbeat` fills in what goes along with one; called on a thread of the session's."""

    def __init__(self, coordinator: Server, hello: Hello, heartbeat: Callable[[], Heartbeat] = Heartbeat) -> None:
        hello.incarnation = random.SystemRandom().getrandbits(64) | 1
        self._heartbeat = heartbeat
        # Bounded by what the coordinator grants at a time, and by what one thread of the user's sends.
        self._outgoing: "queue.SimpleQueue[Optional[JoinRequest]]" = queue.SimpleQueue()
        self._events: "queue.SimpleQueue[Event]" = queue.SimpleQueue()
        self._over = threading.Event()
        self._outgoing.put(JoinRequest(hello=hello))
        self._stream = coordinator.converse(_METHOD, self._requests(), JoinRequest, JoinResponse)
        self._reader = threading.Thread(target=self._read, name="conadv-session", daemon=True)
        self._reader.start()

    def next(self, timeout: float) -> Optional[Event]:
        """None: nothing came in that time."""
        try:
            return self._events.get(timeout=timeout) if timeout > 0 else self._events.get_nowait()
        except queue.Empty:
            return None

    def offered(self) -> None:
        self._outgoing.put(JoinRequest(offered=True))

    def done(self, step: int, slot: int) -> None:
        self._outgoing.put(JoinRequest(done=Done(units=[Unit(step=step, slot=slot)])))

    def failed(self, step: int, slot: int, reason: str) -> None:
        self._outgoing.put(JoinRequest(failed=Failed(unit=Unit(step=step, slot=slot), reason=reason)))

    def leave(self) -> None:
        """Nothing is sent after it. Waits a little for the coordinator to hear it."""
        self._outgoing.put(JoinRequest(leave=True))
        self._outgoing.put(None)
        self._reader.join(_LEAVE)
        self.cancel()

    def cancel(self) -> None:
        self._over.set()
        self._outgoing.put(None)
        self._stream.cancel()

    def _requests(self) -> Iterator[JoinRequest]:
        while True:
            request = self._outgoing.get()
            if request is None:
                return
            yield request

    def _read(self) -> None:
        error: Optional[errors.Error] = None
        try:
            for response in self._stream:
                for event in self._events_of(response):
                    self._events.put(event)
        except errors.Error as failure:
            error = failure
        self._over.set()
        self._outgoing.put(None)
        self._events.put(Closed(error))

    def _events_of(self, response: JoinResponse) -> List[Event]:
        which = response.WhichOneof("message")
        if which == "welcome":
            welcome = response.welcome
            interval = min(max(welcome.lease_seconds, 0.1), 3600.0) / 3
            threading.Thread(target=self._beat, args=(interval,), name="conadv-heartbeat", daemon=True).start()
            return [Welcomed(welcome.worker_id, welcome.lineage, welcome.steps)]
        if which == "offer":
            return [Asked()]
        if which == "grant":
            return [Granted(tuple((unit.step, unit.slot) for unit in response.grant.units))]
        if which == "finished":
            return [Finished()]
        return []  # for others than workers, or of a newer coordinator

    def _beat(self, interval: float) -> None:
        while not self._over.wait(interval):
            self._outgoing.put(JoinRequest(heartbeat=self._heartbeat()))
