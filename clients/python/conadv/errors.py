# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, by what you can do about it. Every message says who answered, what, and what to do."""
from __future__ import annotations

from typing import Optional

import grpc


class Error(Exception):
    """The base of all of them. `code` is gRPC's name of it, "" if no server said it."""

    code = ""


class UnavailableError(Error):
    """A server is away, overloaded or goes away. The call was made again until its time was up: look whether the servers
    run and the address is right, or give it more time."""


class NotYetError(Error, TimeoutError):
    """The servers are there, and what was asked for has not come in time: a version that is not published yet, weights of
    a run that has not begun. Ask again, or give it more time."""


class EvictedError(Error, LookupError):
    """The version is no longer kept, or lies past the run's last. The message has the versions that there are: ask for a newer
    one, or raise server.retain in the job."""


class LineageOverError(Error):
    """The run has gone back to a checkpoint, and what the call was about is void. Drop what came of it, and begin again
    from run.pull()."""


class RunFailedError(Error):
    """The run has failed and will not go on, or this worker is of no use to it. The message says why."""


class AccessError(Error):
    """The server does not know who this is, or its role may not do that: look at tls_ca, tls_cert, tls_key and
    token_file."""


class RefusedError(Error, ValueError):
    """The server refuses what was asked for, as it is: another layout, a tensor of another shape, a value that is not
    finite, no average where the job keeps none. Nothing changed."""


class CorruptError(Error):
    """What came is not what the contract says. Different builds on the two sides, or a bug."""


_CLASSES = {
    "UNAVAILABLE": UnavailableError,
    "RESOURCE_EXHAUSTED": UnavailableError,
    "CANCELLED": UnavailableError,  # by a server that goes away, or that needs the room for others
    "DEADLINE_EXCEEDED": NotYetError,
    "OUT_OF_RANGE": EvictedError,
    "ABORTED": LineageOverError,
    "UNAUTHENTICATED": AccessError,
    "PERMISSION_DENIED": AccessError,
    "INVALID_ARGUMENT": RefusedError,
    "FAILED_PRECONDITION": RefusedError,
    "ALREADY_EXISTS": RefusedError,
    "NOT_FOUND": RefusedError,
    "UNIMPLEMENTED": RefusedError,
    "DATA_LOSS": CorruptError,
}


def of_call(who: str, error: grpc.RpcError) -> Error:
    """What a person reads of a call to `who` ("server-1 at a:7000") that failed."""
    code = error.code().name
    message = error.details() or "no reason given"
    if code == "UNIMPLEMENTED":
        message += "; is it a conadv server of this version, and for this call shard 0?"
    made = _CLASSES.get(code, Error)(f"{who}: {message}")
    made.code = code
    return made


def retry_delay_of(error: grpc.RpcError) -> Optional[float]:
    """Seconds that an overloaded server wants to be left alone, at most a minute; None if it does not say."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-retry-pushback-ms":
            try:
                return min(max(int(value), 0) / 1000, 60.0)
            except ValueError:
                return None
    return None
