# SPDX-License-Identifier: Apache-2.0
"""As much of HTTP/2 (RFC 9113) as a peer needs that sends what no gRPC library would. Not thread-safe but for its reader."""
import contextlib
import select
import socket
import ssl
import struct
import threading

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_HEADERS = ACK = 0x4
FRAME = 16384
MOST_WINDOW = 2 ** 31 - 1


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _literal(name, value):
    """HPACK: a header that is not indexed, without Huffman's code."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def call_headers(path, token):
    headers = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", path.encode()), (b":authority", b"peer"),
               (b"content-type", b"application/grpc"), (b"te", b"trailers")]
    if token:
        headers.append((b"authorization", b"Bearer " + token.encode()))
    return b"".join(_literal(name, value) for name, value in headers)


class Peer:
    """A connection that keeps to the windows it is given, as otherwise it would be cut off at once."""

    def __init__(self, host, port, tls=None, token=None):
        """`tls`: an ssl.SSLContext; `token`: what calls show."""
        self._token = token
        # Python's TLS sockets do not take a read and a write at once.
        self._one_at_a_time = threading.Lock() if tls else contextlib.nullcontext()
        self._socket = socket.create_connection((host, port))
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname=host)
        self._changed = threading.Condition()
        self._window, self._initial = {0: 65535}, 65535
        self.reset = set()  # streams that the server has ended
        self.closed = ""  # why
        self._write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, b""))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _write(self, data):
        try:
            with self._one_at_a_time:
                self._socket.sendall(data)
        except OSError as error:
            self.closed = self.closed or str(error)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            if isinstance(self._socket, ssl.SSLSocket) and not self._socket.pending():
                select.select([self._socket], [], [])
            with self._one_at_a_time:
                part = self._socket.recv(count - len(data))
            if not part:
                raise EOFError("closed")
            data += part
        return data

    def _read(self):
        try:
            while True:
                head = self._exactly(9)
                payload = self._exactly(int.from_bytes(head[:3], "big"))
                with self._changed:
                    self._on_frame(head[3], head[4], int.from_bytes(head[5:], "big"), payload)
                    self._changed.notify_all()
        except (OSError, EOFError) as error:
            with self._changed:
                self.closed = self.closed or str(error)
                self._changed.notify_all()

    def _on_frame(self, kind, flags, stream, payload):
        if kind == WINDOW_UPDATE:
            self._window[stream] = self._window.get(stream, self._initial) + int.from_bytes(payload, "big")
        elif kind == SETTINGS and not flags & 1:
            for key, value in struct.iter_unpack(">HI", payload):
                if key == 4:
                    for known in self._window:
                        self._window[known] += value - self._initial if known else 0
                    self._initial = value
            self._write(frame(SETTINGS, 1, 0, b""))
        elif kind == PING and not flags & 1:
            self._write(frame(PING, 1, 0, payload))
        elif kind == RST_STREAM or kind == HEADERS and flags & 1:
            self.reset.add(stream)
        elif kind == GOAWAY:
            self.closed = f"GOAWAY {payload!r}"

    def call(self, stream, path):
        with self._changed:
            self._window.setdefault(stream, self._initial)
        self._write(frame(HEADERS, END_HEADERS, stream, call_headers(path, self._token)))

    def send(self, stream, data, patience):
        """How much of it could be sent: until the stream is reset, or for `patience` seconds no window opens."""
        return self._send(stream, len(data), FRAME, patience, lambda begin, size: data[begin:begin + size])

    def send_zeros(self, stream, count, patience, frame_size=FRAME):
        """As `send`, in frames of that size; `count` is a multiple of it."""
        frames = FRAME // frame_size
        return self._send(stream, count, frame_size, patience, lambda _, size: bytes(size), frames)

    def _send(self, stream, count, most, patience, data, frames=1):
        sent = 0
        while sent < count:
            with self._changed:
                opened = self._changed.wait_for(
                    lambda: self.closed or stream in self.reset or min(self._window[0], self._window[stream]) > 0,
                    patience)
                if not opened or self.closed or stream in self.reset:
                    break
                window = min(count - sent, self._window[0], self._window[stream])
                size = min(most, window)
                times = max(1, min(frames, window // size))
                self._window[0] -= size * times
                self._window[stream] -= size * times
            self._write(frame(DATA, 0, stream, data(sent, size)) * times)
            sent += size * times
        return sent

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is closed already
        self._socket.close()
        self._reader.join()
