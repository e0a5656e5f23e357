# SPDX-License-Identifier: Apache-2.0
"""A cluster's name server: a pod has a name once it has an address, and none before.

Answers A queries on UDP from its own thread. `missed` is a queue of the names that were asked for too early,
with the address that asked: what a test waits for, to know that a process waits for a peer.
"""
import queue
import socket
import struct
import threading

DOMAIN = "cluster.local"
TYPE_A = 1
NO_SUCH_NAME = 3


def resolv_conf(namespace):
    """What the kubelet gives the pods of a namespace."""
    return f"search {namespace}.svc.{DOMAIN} svc.{DOMAIN} {DOMAIN}\noptions ndots:5\n"


class ClusterDns:
    def __init__(self, address):
        self.address = address
        self.missed = queue.Queue()
        self._records = {}  # full name → address
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def publish(self, name, address):
        with self._lock:
            self._records[f"{name}.{DOMAIN}"] = address

    def _serve(self):
        while True:
            query, peer = self._socket.recvfrom(512)
            self._socket.sendto(self._answer(query, peer[0]), peer)

    def _answer(self, query, peer):
        name, end = _question(query)
        kind = struct.unpack_from("!H", query, end)[0]
        with self._lock:
            address = self._records.get(name)
        if address is None and name.endswith(f".{DOMAIN}"):
            self.missed.put((name.removesuffix(f".{DOMAIN}"), peer))
        answer = b""
        if address is not None and kind == TYPE_A:
            # The name is a pointer to the question's; 5 s to live.
            answer = struct.pack("!HHHIH", 0xC00C, TYPE_A, 1, 5, 4) + socket.inet_aton(address)
        flags = 0x8580 | (NO_SUCH_NAME if address is None else 0)
        header = query[:2] + struct.pack("!HHHHH", flags, 1, 1 if answer else 0, 0, 0)
        return header + query[12:end + 4] + answer


def _question(query):
    """The name asked for, and where its type stands."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
        at += 1 + query[at]
    return ".".join(labels), at + 1
