#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that send messages without an end are cut off before the server has more memory than it announced, and the others go
on: messages_test.py BINARIES [--sanitized].

gRPC looks at its limit for messages only when the whole of one is there. Who has no credentials does not get so far."""
import contextlib
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
SANITIZED = False  # a sanitizer's memory is not what a server announces
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
MOST = 4096 * MIB  # in all, long before any message is whole
TOKEN = "0123456789abcdef"
PATIENCE = 0.2  # seconds, for a window
PUSH = "/conadv.v1.ParameterServer/Push"


def memory_bytes(process, which):
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith(which + ":"):
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

    def secure(self):
        """A certificate and a token: flags of a server, flags of its clients, and how a peer speaks TLS."""
        key, cert, tokens, token = (self.root / name for name in ("key", "cert", "tokens", "token"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                        "2", "-subj", "/CN=server", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                       check=True, capture_output=True)
        tokens.write_text(f"worker {TOKEN}\n")
        token.write_text(TOKEN + "\n")
        tls = ssl.create_default_context(cafile=cert)
        tls.set_alpn_protocols(["h2"])
        return [f"--tls_cert={cert}", f"--tls_key={key}", f"--tokens={tokens}"], [f"--tls_ca={cert}", f"--token_file={token}"], tls

    def flood(self, peers, path, frame_size):
        """Sends as much as is taken, up to a bound, on many streams of each peer; how much that was."""
        streams = [(peer, 2 * i + 1) for i in range(STREAMS) for peer in peers]
        for peer, stream in streams:
            peer.call(stream, path)
            peer.send(stream, MESSAGE, PATIENCE)
        sent = idle_rounds = 0
        piece = min(MIB, 8192 * frame_size)
        while streams and sent < MOST and idle_rounds < 10:
            before = sent
            for peer, stream in streams:
                sent += peer.send_zeros(stream, piece, PATIENCE, frame_size)
            idle_rounds = 0 if sent > before else idle_rounds + 1
            streams = [(peer, stream) for peer, stream in streams if not peer.closed and stream not in peer.reset]
        return sent

    def check_flood(self, path, connections=1, server_flags=(), flags=(), tls=None, token=None, frame_size=http2.FRAME):
        server, address = self.start_server(*server_flags)
        begin = memory_bytes(server, "VmRSS")  # it has nothing of the run yet
        worker = subprocess.Popen([BINARIES / "conadv-worker", f"--coordinator={address}", *flags,
                                   "--simulate=attack=1ms,clean=1ms,adversarial=1ms,parameters=100K"],
                                  stderr=subprocess.DEVNULL)
        self.processes.append(worker)
        before = {}
        while int(before.get("version", 0)) < 20:
            self.assertIsNone(worker.poll())
            before = self.status(address, *flags)
        limit = int(before["memory_limit_bytes"])
        host, port = address.split(":")
        with contextlib.ExitStack() as stack:
            peers = [http2.Peer(host, int(port), tls, token) for _ in range(connections)]
            for peer in peers:
                stack.callback(peer.close)
            sent = self.flood(peers, path, frame_size)
            self.assertTrue(all(peer.closed or len(peer.reset) >= STREAMS for peer in peers), "one was never cut off")
        most = memory_bytes(server, "VmHWM") - begin
        print(f"{self.id().split('.')[-1]}: {sent / MIB:.0f} MiB sent, at most {most / MIB:.0f} MiB in memory, of "
              f"{limit / MIB:.0f} announced")
        self.assertGreater(sent, MIB // 2, f"it took nothing, so that nothing was tried: {[peer.closed for peer in peers]}")
        if not SANITIZED:
            self.assertLessEqual(most, limit)
        # And the others go on.
        after = self.status(address, *flags)
        self.assertGreater(int(after["version"]), int(before["version"]))
        self.assertIsNone(worker.poll())

    def test_a_request_without_an_end_is_cut_off(self):
        self.check_flood("/conadv.v1.Inspector/Status")

    def test_a_push_without_an_end_is_cut_off(self):
        self.check_flood(PUSH)

    def test_a_session_without_an_end_is_cut_off(self):
        self.check_flood("/conadv.v1.Coordinator/Join")

    def test_many_connections_are_cut_off(self):
        self.check_flood(PUSH, connections=16)

    def test_frames_of_a_byte_are_cut_off(self):
        self.check_flood(PUSH, frame_size=1)

    def test_a_worker_with_a_token_is_cut_off(self):
        server_flags, flags, tls = self.secure()
        self.check_flood(PUSH, server_flags=server_flags, flags=flags, tls=tls, token=TOKEN)

    def test_who_shows_no_credentials_sends_nothing_at_all(self):
        server_flags, _, tls = self.secure()
        server, address = self.start_server(*server_flags)
        host, port = address.split(":")
        peer = http2.Peer(host, int(port), tls)
        begin = memory_bytes(server, "VmRSS")
        sent = self.flood([peer], "/conadv.v1.Coordinator/Join", http2.FRAME)
        peer.close()
        most = memory_bytes(server, "VmHWM") - begin
        print(f"without credentials: {sent / MIB:.1f} MiB sent, {most / MIB:.1f} MiB more in memory")
        if not SANITIZED:
            self.assertLess(most, 16 * MIB)


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1))
    SANITIZED = "--sanitized" in sys.argv
    if SANITIZED:
        sys.argv.remove("--sanitized")
    unittest.main()
