#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A peer that sends messages without an end is cut off, and the others go on: messages_test.py BINARIES.

gRPC looks at its limit for messages only when the whole of one is there. Who has no credentials does not get so far."""
import json
import pathlib
import ssl
import struct
import subprocess
import sys
import tempfile
import unittest

import http2

BINARIES = None
JOB = """
name: "hostile-test"
model { builtin: "mlp" } dataset { path: "unused" }
training { algorithm: CONADV tau: 1 global_batch: 4 slots: 2 steps: 1000000 }
optimizer { sgd {} }
schedule { peak: 0.1 constant {} }
evaluation { attack_steps: 0 }
"""
MESSAGE = b"\0" + struct.pack(">I", 2 ** 31 - 1)  # "2 GiB follow"
STREAMS = 60  # of 64 that a connection may have
MIB = 1 << 20
MOST = 8192 * MIB  # in all, long before any message is whole


def resident_bytes(process):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the server is gone")


class Messages(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.directory.name)
        (self.root / "job.textproto").write_text(JOB)
        self.processes = []

    def tearDown(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
        self.directory.cleanup()

    def start_server(self, *flags):
        server = subprocess.Popen([BINARIES / "conadv-server", f"--job={self.root / 'job.textproto'}", *flags],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.processes.append(server)
        address = next(line for line in server.stdout if "listening on " in line).split("listening on ")[1].strip()
        return server, address

    def status(self, address, *flags):
        done = subprocess.run([BINARIES / "conadv", "status", f"--server={address}", "--json", *flags], capture_output=True,
                              text=True, check=True)
        return json.loads(done.stdout)

    def flood(self, server, peer, path):
        """Sends as much as is taken, up to a bound, on many streams; the most memory the server had meanwhile."""
        most = resident_bytes(server)
        streams = [2 * i + 1 for i in range(STREAMS)]
        for stream in streams:
            peer.call(stream, path)
            peer.send(stream, MESSAGE, 0.1)
        sent = 0
        while streams and sent < MOST and not peer.closed:
            for stream in list(streams):
                size = peer.send(stream, bytes(MIB), 0.1)
                sent += size
                if size < MIB:
                    streams.remove(stream)
            most = max(most, resident_bytes(server))
        return most, sent

    def check_flood(self, path):
        server, address = self.start_server()
        worker = subprocess.Popen([BINARIES / "conadv-worker", f"--coordinator={address}",
                                   "--simulate=attack=1ms,clean=1ms,adversarial=1ms,parameters=100K"],
                                  stderr=subprocess.DEVNULL)
        self.processes.append(worker)
        before = {}
        while int(before.get("version", 0)) < 20:
            self.assertIsNone(worker.poll())
            before = self.status(address)
        limit, first = int(before["memory_limit_bytes"]), resident_bytes(server)
        host, port = address.split(":")
        peer = http2.Peer(host, int(port))
        most, sent = self.flood(server, peer, path)
        peer.close()
        print(f"{path}: {sent / MIB:.0f} MiB sent, {(most - first) / MIB:.0f} MiB more in memory of at most "
              f"{limit / MIB:.0f}")
        self.assertGreater(sent, 8 * MIB, "it took nothing, so that nothing was tried")
        self.assertLess(sent, MOST, "it was never cut off")
        # And the others go on.
        after = self.status(address)
        self.assertGreater(int(after["version"]), int(before["version"]))
        self.assertIsNone(worker.poll())

    def test_a_request_without_an_end_is_cut_off(self):
        self.check_flood("/conadv.v1.Inspector/Status")

    def test_a_push_without_an_end_is_cut_off(self):
        self.check_flood("/conadv.v1.ParameterServer/Push")

    def test_a_session_without_an_end_is_cut_off(self):
        self.check_flood("/conadv.v1.Coordinator/Join")

    def test_who_shows_no_credentials_sends_nothing_at_all(self):
        key, cert, tokens = (self.root / name for name in ("key", "cert", "tokens"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "2", "-subj", "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                       check=True, capture_output=True)
        tokens.write_text("viewer 0123456789abcdef\n")
        server, address = self.start_server(f"--tls_cert={cert}", f"--tls_key={key}", f"--tokens={tokens}")
        tls = ssl.create_default_context(cafile=cert)
        tls.set_alpn_protocols(["h2"])
        host, port = address.split(":")
        peer = http2.Peer(host, int(port), tls)
        first = resident_bytes(server)
        most, sent = self.flood(server, peer, "/conadv.v1.Coordinator/Join")
        peer.close()
        print(f"{sent / MIB:.1f} MiB sent, {(most - first) / MIB:.1f} MiB more in memory")
        self.assertLess(most - first, 16 * MIB)


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1))
    unittest.main()
