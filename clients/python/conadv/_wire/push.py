# SPDX-License-Identifier: Apache-2.0
"""Sends one shard's part of a push, again while the server says so: servers count each key once [I2]."""
from __future__ import annotations

import threading
from typing import Any, Iterator

import numpy
import numpy.typing

from conadv import errors
from conadv._wire.calls import CHUNK_BYTES, Backoff, Deadline, Server, transfer_allowance
from conadv._wire.rounding import upper_half
from conadv.v1.parameter_server_pb2 import BFLOAT16, PushHeader, PushRequest, PushResponse

_METHOD = "/conadv.v1.ParameterServer/Push"
_ANSWER = 30.0  # beside the time that the bytes may take

Array = numpy.typing.NDArray[numpy.float32]


def _chunks(header: PushHeader, begin: int, values: Any, width: int) -> Iterator[PushRequest]:
    octets = memoryview(values).cast("B")
    for at in range(0, max(len(octets), 1), CHUNK_BYTES):
        yield PushRequest(header=header if at == 0 else None, offset=begin + at // width,
                          payload=bytes(octets[at:at + CHUNK_BYTES]))


def push(server: Server, header: PushHeader, begin: int, values: Array, deadline: Deadline,
         closing: threading.Event) -> PushResponse:
    """`values` go to elements `begin` and on of the server's arena. UnavailableError: not until the deadline."""
    short = header.element_type == BFLOAT16
    sent = upper_half(values) if short else numpy.ascontiguousarray(values, dtype="<f4")
    backoff = Backoff(deadline, closing)
    while True:
        timeout = min(deadline.left(), _ANSWER + transfer_allowance(sent.nbytes))
        answer, error, delay = server.send(_METHOD, _chunks(header, begin, sent, 2 if short else 4), PushRequest,
                                           PushResponse, timeout)
        if answer is not None:
            return answer
        assert error is not None
        if not isinstance(error, (errors.UnavailableError, errors.NotYetError)):
            raise error
        if delay is not None:
            backoff.reset()
        if not backoff.wait(delay):
            if isinstance(error, errors.NotYetError):
                raise errors.UnavailableError(f"{server.who}: no answer to a push in time")
            raise error
