# SPDX-License-Identifier: Apache-2.0
"""An observer's place in a run: servers stay until it leaves. One thread."""
from __future__ import annotations

import contextlib
import threading
from typing import Iterator

from conadv import errors
from conadv._wire.calls import Backoff, Deadline, Server
from conadv._wire.session import Closed, Session, Welcomed
from conadv.v1.coordinator_pb2 import OBSERVER, Hello

_JOIN = 30.0


@contextlib.contextmanager
def observe(coordinator: Server, closing: threading.Event) -> Iterator[None]:
    """The coordinator welcomes it, or an error. Should the session break, the run may end without it."""
    backoff = Backoff(Deadline(_JOIN), closing)
    while True:
        session = Session(coordinator, Hello(role=OBSERVER, name="python"))
        event = session.next(_JOIN)
        if isinstance(event, Welcomed):
            break
        session.cancel()
        if not isinstance(event, Closed):
            raise errors.NotYetError(f"{coordinator.who}: no welcome within {_JOIN:g} s")
        if not isinstance(event.error, errors.UnavailableError) or not backoff.wait():
            raise event.error or errors.UnavailableError(f"{coordinator.who}: the run is over")
    try:
        yield
    finally:
        session.leave()
