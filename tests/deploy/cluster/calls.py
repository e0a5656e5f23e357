# SPDX-License-Identifier: Apache-2.0
"""The few gRPC calls that the test makes, in hand-written bytes: any client can."""
import grpc

SERVING = 1


def fields(message):
    """(number, value) of every field: an int for a varint, bytes else."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _varint(message, at)
        else:
            size, at = _varint(message, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = message[at:at + size], at + size
        yield tag >> 3, value


def _varint(message, at):
    value = shift = 0
    while True:
        byte = message[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


class Peer:
    """A server at HOST:PORT. Every call has a deadline, in seconds."""

    def __init__(self, address, roots="", name="", token=""):
        """With `roots`, PEM, over TLS, as the server called `name`, showing the token."""
        options = [("grpc.enable_http_proxy", 0)]
        self._metadata = [("authorization", f"Bearer {token}")] if token else []
        if roots:
            options.append(("grpc.ssl_target_name_override", name))
            credentials = grpc.ssl_channel_credentials(roots.encode())
            self._channel = grpc.secure_channel(address, credentials, options=options)
        else:
            self._channel = grpc.insecure_channel(address, options=options)

    def _watch(self, method, deadline):
        """Also of a server that is not there yet."""
        return self._channel.unary_stream(method)(b"", timeout=deadline, metadata=self._metadata, wait_for_ready=True)

    def health(self, deadline, service=""):
        """As a kubelet's probe asks, once: SERVING, or another status."""
        request = bytes([10, len(service)]) + service.encode() if service else b""
        response = self._channel.unary_unary("/grpc.health.v1.Health/Check")(request, timeout=deadline)
        return dict(fields(response)).get(1)

    def wait_until_serving(self, deadline):
        responses = self._watch("/grpc.health.v1.Health/Watch", deadline)
        for response in responses:
            if dict(fields(response)).get(1) == SERVING:
                responses.cancel()
                return

    def wait_for_version(self, version, deadline):
        """Every version up to `version`, as ParameterServer.Watch tells them."""
        seen = []
        responses = self._watch("/conadv.v1.ParameterServer/Watch", deadline)
        for response in responses:
            seen.append(dict(fields(response)).get(1, 0))
            if seen[-1] >= version:
                responses.cancel()
                return seen
        raise AssertionError(f"the watch ended after versions {seen}")

    def wait_for_final_evaluation(self, deadline):
        """How many examples the last evaluation took, as Inspector.WatchMetrics tells it."""
        responses = self._watch("/conadv.v1.Inspector/WatchMetrics", deadline)
        for response in responses:
            record = dict(fields(response))
            evaluation = dict(fields(record.get(3, b"")))
            if evaluation.get(8):
                responses.cancel()
                return evaluation.get(2, 0)
        raise AssertionError("the metrics ended without a final evaluation")
