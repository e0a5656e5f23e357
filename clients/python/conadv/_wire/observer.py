# SPDX-License-Identifier: Apache-2.0
"""An observer's place in a run: servers stay until it leaves. It joins again when the coordinator was lost. A thread of its own."""
from __future__ import annotations

import contextlib
import threading
from typing import Callable, Iterator, Optional

from conadv import errors
from conadv._wire.calls import Backoff, Deadline, Server
from conadv._wire.session import Closed, Session, Welcomed
from conadv.v1.coordinator_pb2 import OBSERVER, Hello

_JOIN = 30.0
_LEAVE = 5.0
_LOOK = 3600.0


class _Observer:
    """`coordinator` is asked for each session: it may have moved."""

    def __init__(self, coordinator: Callable[[], Server], closing: threading.Event) -> None:
        self._coordinator = coordinator
        self._closing = closing
        self._lock = threading.Lock()
        self._leaving = threading.Event()
        self._session = self._join(Deadline(_JOIN), closing)
        self._thread = threading.Thread(target=self._stay, name="conadv-observer", daemon=True)
        self._thread.start()

    def leave(self) -> None:
        with self._lock:
            self._leaving.set()
            session = self._session
        session.leave()
        self._thread.join(_LEAVE)

    def _join(self, deadline: Deadline, stop: threading.Event) -> Session:
        backoff = Backoff(deadline, stop)
        while True:
            server = self._coordinator()
            session = Session(server, Hello(role=OBSERVER, name="python"))
            event = session.next(deadline.left())
            if isinstance(event, Welcomed):
                return session
            session.cancel()
            error: Optional[errors.Error] = event.error if isinstance(event, Closed) else None
            error = error or errors.NotYetError(f"{server.who}: no welcome")
            if not isinstance(error, (errors.UnavailableError, errors.NotYetError)) or not backoff.wait():
                raise error

    def _stay(self) -> None:
        while not self._leaving.is_set():
            event = self._session.next(_LOOK)
            if not isinstance(event, Closed):
                continue
            if self._leaving.is_set() or self._closing.is_set():
                return
            try:
                # A run that is over for good is nobody's to hold.
                session = self._join(Deadline(_JOIN), self._leaving)
            except errors.Error:
                return
            with self._lock:
                self._session = session
                left = self._leaving.is_set()
            if left:
                session.leave()


@contextlib.contextmanager
def observe(coordinator: Callable[[], Server], closing: threading.Event) -> Iterator[None]:
    """The coordinator welcomes it, or an error."""
    observer = _Observer(coordinator, closing)
    try:
        yield
    finally:
        observer.leave()
