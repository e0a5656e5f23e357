# SPDX-License-Identifier: Apache-2.0
"""Calls to one server: typed, with a deadline each, and with our errors. Thread-safe."""
from __future__ import annotations

import random
import threading
import time
from typing import Any, Dict, Generic, Iterable, Iterator, Optional, Tuple, Type, TypeVar

import grpc

from conadv import errors
from conadv._wire.credentials import Credentials, Stamp

MAX_MESSAGE_BYTES = 4 << 20
CHUNK_BYTES = 1 << 20
_SLOWEST_BYTES_PER_SECOND = 4 << 20
_LONGEST = 1e9  # seconds; more than that is for ever

_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 300),
    ("grpc.min_reconnect_backoff_ms", 2_000),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
]

Response = TypeVar("Response")


def transfer_allowance(size_bytes: int) -> float:
    """What a call's deadline leaves for so many bytes on the slowest network that is worth training on."""
    return size_bytes / _SLOWEST_BYTES_PER_SECOND


class Deadline:
    """A time by the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + min(seconds, _LONGEST)

    def left(self) -> float:
        return max(self._end - time.monotonic(), 0.0)


class Backoff:
    """How long to wait before the next try: exponential, jittered, until the deadline."""

    _FIRST, _MOST = 0.1, 0.5

    def __init__(self, deadline: Deadline, closing: threading.Event) -> None:
        self._deadline = deadline
        self._closing = closing
        self._step = self._FIRST

    def reset(self) -> None:
        self._step = self._FIRST

    def wait(self, least: Optional[float] = None) -> bool:
        """False: there is no time left, or the run's object is closed. `least`: what the peer asked for."""
        pause = self._step * random.uniform(0.5, 1.0) if least is None else least * random.uniform(1.0, 1.5)
        self._step = min(self._step * 2, self._MOST)
        left = self._deadline.left()
        return not self._closing.wait(min(pause, left)) and self._deadline.left() > 0


class Stream(Generic[Response]):
    """A server's stream of messages. Ends with our errors; one thread reads, any may cancel."""

    def __init__(self, who: str, call: Any, keep: Any) -> None:
        self._who = who
        self._call = call
        self._keep = keep  # the channel, which must not go before the call

    def __iter__(self) -> Iterator[Response]:
        try:
            yield from self._call
        except grpc.RpcError as error:
            raise errors.of_call(self._who, error) from None
        finally:
            self._call.cancel()

    def cancel(self) -> None:
        self._call.cancel()


def _closed(who: str) -> errors.Error:
    """gRPC's ValueError of a channel that another thread has closed."""
    return errors.UnavailableError(f"{who}: this run's object is closed")


class Server:
    """One server. `who` goes before what it says of an error."""

    def __init__(self, who: str, address: str, channel: Any) -> None:
        self.who = who
        self.address = address
        self._channel = channel

    def unary(self, method: str, request: Any, response: Type[Response], timeout: float) -> Response:
        """Of what servers answer at once: UnavailableError if this one does not."""
        call = self._channel.unary_unary(method, type(request).SerializeToString, getattr(response, "FromString"))
        try:
            answer: Response = call(request, timeout=timeout)
            return answer
        except grpc.RpcError as error:
            made = errors.of_call(self.who, error)
            if isinstance(made, errors.NotYetError):
                made = errors.UnavailableError(f"{self.who}: no answer within {timeout:.3g} s")
            raise made from None
        except ValueError:
            raise _closed(self.who) from None

    def stream(self, method: str, request: Any, response: Type[Response],
               timeout: Optional[float]) -> Stream[Response]:
        call = self._channel.unary_stream(method, type(request).SerializeToString, getattr(response, "FromString"))
        try:
            return Stream(self.who, call(request, timeout=timeout), self._channel)
        except ValueError:
            raise _closed(self.who) from None

    def send(self, method: str, requests: Iterable[Any], request: Type[Any], response: Type[Response],
             timeout: float) -> Tuple[Optional[Response], Optional[errors.Error], Optional[float]]:
        """The answer, or the error and how long the server wants to be left alone."""
        call = self._channel.stream_unary(method, request.SerializeToString, getattr(response, "FromString"))
        try:
            return call(iter(requests), timeout=timeout), None, None
        except grpc.RpcError as error:
            return None, errors.of_call(self.who, error), errors.retry_delay_of(error)
        except ValueError:
            return None, _closed(self.who), None

    def converse(self, method: str, requests: Iterator[Any], request: Type[Any],
                 response: Type[Response]) -> Stream[Response]:
        """Without a deadline: both ends send heartbeats."""
        call = self._channel.stream_stream(method, request.SerializeToString, getattr(response, "FromString"))
        try:
            return Stream(self.who, call(requests), self._channel)
        except ValueError:
            raise _closed(self.who) from None


class Servers:
    """The connections of one run, made when they are first needed."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._lock = threading.Lock()
        self._channels: Dict[str, Any] = {}
        self._stamp: Stamp = credentials.stamp()

    def at(self, shard: int, address: str) -> Server:
        with self._lock:
            stamp = self._credentials.stamp()
            if stamp != self._stamp:
                # Calls under way keep theirs.
                self._channels, self._stamp = {}, stamp
            channel = self._channels.get(address)
            if channel is None:
                channel = self._channels[address] = self._make(address)
        return Server(f"server-{shard} at {address}", address, channel)

    def _make(self, address: str) -> Any:
        credentials = self._credentials.channel_credentials()
        if credentials is None:
            return grpc.insecure_channel(address, options=_OPTIONS)
        return grpc.secure_channel(address, credentials, options=_OPTIONS)

    def forget(self) -> None:
        """Makes the connections anew: a name may have another address by now."""
        with self._lock:
            self._channels = {}

    def close(self) -> None:
        with self._lock:
            for channel in self._channels.values():
                channel.close()
            self._channels = {}
