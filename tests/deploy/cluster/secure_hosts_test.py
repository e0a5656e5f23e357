#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hosts on a slow network train with certificates on all sides, while everything changes; the weights are those of a plain run.

    secure_hosts_test.py FOLDER_OF_BINARIES         (exit code 77: cannot be run here)
"""
import json
import pathlib
import signal
import ssl
import subprocess
import sys
import time

import certificates
import cluster_case
import grpc
import node
from cluster_case import DEADLINE

SHARDS, STEPS, PORT = 3, 80, 7000
DELAY = 0.010  # seconds each way between servers and workers
JOB = cluster_case.job(STEPS, server="checkpoint_every: 5 lease_seconds: 2")


class SecureHostsTest(cluster_case.ClusterCase):
    def setUp(self):
        self.began = time.monotonic()
        self.folder = node.WORK / "secure"
        self.folder.mkdir()
        self.job = self.folder / "job.textproto"
        self.job.write_text(JOB)
        self.programs = pathlib.Path(self.binaries).resolve()
        self.authority = certificates.Authority(self.folder)
        self.hosts = [self.node.host() for _ in range(SHARDS)]
        self.servers = ",".join(f"{host}:{PORT}" for host in self.hosts)
        self.viewer = self.files_of("viewer", "viewer", "DNS:viewer")
        self.started, self.passed = {}, False

    def tearDown(self):
        for name, process in self.started.items():
            if not self.passed:
                log = (self.folder / f"{name}.log").read_text(errors="replace")
                print(f"--- {name}: exit code {process.poll()}\n{log[-3000:]}", file=sys.stderr)
            process.kill()
            process.wait()

    def files_of(self, name, unit, names, days=1):
        """A folder of its own, reached by a link, so that all of it can be replaced at once."""
        real = self.authority.issue(self.folder / f"{name}.{time.monotonic_ns()}", unit, names, days)
        link = self.folder / f"{name}.next"
        link.symlink_to(real)
        link.rename(self.folder / name)
        return self.folder / name

    def tls(self, folder):
        return [f"--tls_ca={folder}/ca.crt", f"--tls_cert={folder}/tls.crt", f"--tls_key={folder}/tls.key"]

    def spawn(self, name, host, program, *flags):
        log = open(self.folder / f"{name}.log", "ab")
        self.started[name] = subprocess.Popen(
            ["ip", "netns", "exec", host, self.programs / program, *flags], stdin=subprocess.DEVNULL, stdout=log,
            stderr=log)
        log.close()
        self.say(f"{name} has started")

    def serve(self, shard):
        name = f"server-{shard}"
        folder = self.folder / name
        if not folder.exists():
            self.files_of(name, "server", f"IP:{self.hosts[shard]}")
        self.spawn(name, self.hosts[shard], "conadv-server", f"--servers={self.servers}", f"--shard={shard}",
                   f"--listen={self.hosts[shard]}:{PORT}", f"--job={self.job}", "--when_done=wait",
                   f"--checkpoint_dir={self.folder}/disk-{shard}", *self.tls(folder))

    def work(self, name):
        self.spawn(name, self.node.host(DELAY), "conadv-worker", f"--servers={self.servers}", f"--name={name}",
                   f"--data_dir={node.WORK}/data", *self.tls(self.files_of(name, "worker", f"DNS:{name}")))

    def conadv(self, command, *flags):
        done = subprocess.run([self.programs / "conadv", command, f"--server={self.servers}", "--json",
                               *self.tls(self.viewer), *flags], capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout.splitlines()[-1])

    def reach(self, version):
        deadline = time.monotonic() + DEADLINE
        while int(self.conadv("status").get("version", 0)) < version:
            self.assertLess(time.monotonic(), deadline, f"version {version} was never published")
        self.say(f"version {version} is there")

    def shown_by(self, shard):
        """The certificate that a new connection to the shard is shown."""
        return ssl.get_server_certificate((self.hosts[shard], PORT))

    def answer_to(self, folder, method):
        """The code that whoever has this certificate gets; without one if there is no folder."""
        roots = (self.folder / "ca.crt").read_bytes()
        pair = [(folder / file).read_bytes() for file in ("tls.key", "tls.crt")] if folder else [None, None]
        with grpc.secure_channel(f"{self.hosts[0]}:{PORT}", grpc.ssl_channel_credentials(roots, *pair),
                                 options=[("grpc.enable_http_proxy", 0)]) as channel:
            try:
                channel.unary_unary(method)(b"", timeout=DEADLINE)
                return grpc.StatusCode.OK
            except grpc.RpcError as error:
                return error.code()

    def plain_run(self):
        """weights_crc32c of the same job on one machine, without any of this."""
        done = subprocess.run([self.programs / "conadv", "train", f"--job={self.job}", f"--data_dir={node.WORK}/data",
                               f"--out={self.folder}/plain", "--servers=1", "--workers=1", "--threads=1", "--json",
                               "--set", "evaluation.attack_steps=0"],
                              capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout.splitlines()[-1])["weights_crc32c"]

    def test_all_changes_under_a_run_and_its_weights_are_those_of_a_plain_one(self):
        expected = self.plain_run()
        self.say(f"the plain run ends with {expected}")
        for shard in range(SHARDS):
            self.serve(shard)
        for name in ("worker-0", "worker-1", "worker-2"):
            self.work(name)
        self.reach(5)

        status, join = "/conadv.v1.Inspector/Status", "/conadv.v1.Coordinator/Join"
        expired = self.files_of("expired", "admin", "DNS:expired", days=-1)
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        foreign = certificates.Authority(elsewhere).issue(self.folder / "foreign", "admin", "DNS:foreign")
        for folder, method, code in ((None, status, "UNAUTHENTICATED"), (expired, status, "UNAUTHENTICATED"),
                                     (foreign, status, "UNAUTHENTICATED"), (self.viewer, join, "PERMISSION_DENIED"),
                                     (self.viewer, status, "OK")):
            self.assertEqual(self.answer_to(folder, method).name, code, (folder, method))
        self.say("strangers are told so")

        before = self.shown_by(1)
        self.files_of("server-1", "server", f"IP:{self.hosts[1]}")
        deadline = time.monotonic() + DEADLINE
        while self.shown_by(1) == before:
            self.assertLess(time.monotonic(), deadline, "the old certificate is shown for ever")
        self.say("server-1 shows its new certificate")
        lineage = self.conadv("status")["lineage"]
        self.reach(15)
        self.assertEqual(self.conadv("status")["lineage"], lineage, "a new certificate costs no step")

        self.work("worker-3")
        leaving = self.started.pop("worker-0")
        leaving.send_signal(signal.SIGTERM)
        self.assertEqual(leaving.wait(DEADLINE), 143)
        self.say("worker-0 has left")
        self.reach(30)

        self.started["server-2"].kill()
        self.started["server-2"].wait()
        self.say("server-2 was killed; its disk is kept")
        self.serve(2)
        self.reach(STEPS)
        self.assertNotEqual(self.conadv("status")["lineage"], lineage)
        pulled = self.conadv("pull", f"--version={STEPS}", f"--out={self.folder}/weights.safetensors")
        self.assertEqual(pulled["weights_crc32c"], expected)
        self.say("the weights are the plain run's")
        self.passed = True


if __name__ == "__main__":
    cluster_case.main(__name__, __doc__)
