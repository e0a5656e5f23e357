#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the Python client reads is what the servers have: read_test.py BINARIES."""
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

import numpy
import torch

import conadv
from cluster import after, await_observer, cluster, small_plan, train

BINARIES = None


def command_line_pull(address, out, *flags):
    done = subprocess.run([BINARIES / "conadv", "pull", f"--server={address}", f"--out={out}", "--json", *flags],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def nearest_bfloat16(values):
    bits = values.reshape(-1).view(numpy.uint32)
    return ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16 << 16).view(numpy.float32).reshape(values.shape)


class StandingRun(unittest.TestCase):
    """Two shards that stay at version 12, and keep four."""

    @classmethod
    def setUpClass(cls):
        cls.plan = small_plan()
        cls.context = cluster(BINARIES, shards=2, server="retain: 4", optimizer="average { decay: 0.5 }")
        cls.cluster = cls.context.__enter__()
        cls.client = conadv.connect(cls.cluster.address, timeout=20)
        train(cls.client, cls.plan, until=12)
        cls.client.pull(12)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.context.__exit__(None, None, None)

    def test_a_version_is_that_version_in_every_tensor_of_every_shard(self):
        weights = self.client.pull(12)
        self.assertEqual({p.shard for p in weights.layout.placements}, {0, 1})
        self.assertEqual(list(weights), [tensor.name for tensor in self.plan.tensors])
        expected = after(self.plan.initial, 12)
        for name, array in weights.items():
            numpy.testing.assert_array_equal(array, expected[name], name)
        self.assertEqual(self.client.pull(lag=2).version, 10)
        self.assertEqual(self.client.pull(lag=1000).version, 9)  # the oldest there is
        self.assertEqual(self.client.pull(at_least=11).version, 12)

    def test_what_is_saved_is_the_file_that_conadv_pull_writes(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            for averaged in (False, True):
                pulled = command_line_pull(self.cluster.address, root / "theirs", "--version=11",
                                           *(["--averaged"] if averaged else []))
                weights = self.client.pull(11, averaged=averaged)
                weights.save(str(root / "ours"))
                self.assertEqual((root / "ours").read_bytes(), (root / "theirs").read_bytes())
                self.assertEqual(f"{weights.crc32c():08x}", pulled["weights_crc32c"])
            self.assertEqual(sorted(path.name for path in root.iterdir()), ["ours", "theirs"])

    def test_arrays_are_views_that_cannot_be_written_and_torch_shares_them(self):
        weights = self.client.pull()
        self.assertTrue(numpy.shares_memory(weights["large"], weights["large"]))
        with self.assertRaises(ValueError):
            weights["large"][0, 0] = 1
        tensors = weights.torch()
        self.assertEqual(tensors["large"].data_ptr(), weights["large"].ctypes.data)
        self.assertEqual(tensors["scalar"].shape, torch.Size([]))
        self.assertEqual(list(weights.state_dict()), list(weights))

    def test_bfloat16_is_the_nearest_of_each_value(self):
        whole, half = self.client.pull(12), self.client.pull(12, bfloat16=True)
        for name, array in whole.items():
            numpy.testing.assert_array_equal(half[name], nearest_bfloat16(array), name)

    def test_a_version_that_is_gone_or_never_comes_is_an_error_with_those_that_there_are(self):
        with self.assertRaisesRegex(conadv.EvictedError, "server-0 at .*no longer kept; pull one of 9 to 12"):
            self.client.pull(3)
        with self.assertRaisesRegex(conadv.EvictedError, "past the run's last, 30"):
            self.client.pull(31)
        with self.assertRaisesRegex(conadv.NotYetError, "waited 0.3 s"):
            self.client.pull(13, timeout=0.3)
        with self.assertRaisesRegex(conadv.LineageOverError, "gone back"):
            self.client.pull(12, lineage=5)

    def test_what_the_servers_refuse_is_told_as_they_say_it(self):
        with self.assertRaisesRegex(conadv.RefusedError, "stream clean: tensor weight is missing"):
            self.client.push(12, 0, "clean", {"large": self.plan.initial["large"]}, update_version=12)
        bad = dict(self.plan.initial, weight=numpy.full((70, 30), numpy.nan))
        with self.assertRaisesRegex(conadv.RefusedError, "weight"):
            self.client.push(12, 0, "clean", bad, update_version=12)
        with self.assertRaisesRegex(conadv.RefusedError, "no stream adversarial; a unit has clean"):
            self.client.push(12, 0, "adversarial", self.plan.initial, update_version=12)
        self.assertFalse(self.client.push(11, 0, "clean", self.plan.initial, update_version=11))  # a duplicate

    def test_the_job_and_the_views_are_the_contracts_messages(self):
        self.assertEqual(self.client.job.training.slots, 2)
        self.assertEqual(self.client.job.server.lease_seconds, 10)  # a default
        status = self.client.status()
        self.assertEqual((status.version, status.final_version, status.shards), (12, 30, 2))
        self.assertEqual(self.client.snapshots().retain, 4)
        self.assertEqual([stream.name for stream in self.client.streams()], ["clean"])
        self.assertEqual(next(iter(self.client.watch_staleness())).accepted, 24)
        records = self.client.watch_metrics()
        self.assertEqual([next(records).step.version for _ in range(12)], list(range(1, 13)))

    def test_an_address_where_nobody_answers_is_told_with_the_address(self):
        with self.assertRaisesRegex(conadv.UnavailableError, "server-0 at 127.0.0.1:1: .*waited 0.2 s"):
            conadv.connect("127.0.0.1:1", timeout=0.2)


class GoingBack(unittest.TestCase):
    def test_shards_that_are_lost_cost_nothing_and_readers_are_told(self):
        """A worker in Python goes on with the checkpoint's lineage, after the coordinator's loss too, and the run ends as if
        nothing had been [I8]."""
        plan = small_plan()
        with cluster(BINARIES, shards=2, server="retain: 64") as servers, conadv.connect(servers.address, timeout=30) as run:
            records, seen, to_lose, read = [], [], {17: 1, 24: 0}, threading.Condition()

            def read_metrics():
                records.extend(run.watch_metrics())

            def read_versions():
                with run.observe():
                    for weights in run.versions(every=5):
                        with read:
                            seen.append((weights.version, weights.lineage, weights["scalar"].item()))
                            read.notify()

            def lose_a_shard(unit):
                shard = to_lose.pop(unit.step, None)
                if shard is not None:
                    with read:
                        self.assertTrue(read.wait_for(lambda: seen and seen[-1][0] == unit.step // 5 * 5, timeout=30))
                    servers.kill(shard)
                    servers.start(shard)
                elif not to_lose:
                    await_observer(run)

            readers = [threading.Thread(target=read_metrics), threading.Thread(target=read_versions)]
            for reader in readers:
                reader.start()
            train(run, plan, before=lose_a_shard)
            for reader in readers:
                reader.join(60)
                self.assertFalse(reader.is_alive())
            self.assertEqual(servers.wait(), [0, 0])

        # Every update that counts, once.
        counted = []
        for record in records:
            if isinstance(record, conadv.WentBack):
                self.assertIn(record.version, (0, 10, 20))
                counted = [version for version in counted if version <= record.version]
            else:
                counted.append(record.step.version)
        self.assertEqual(counted, sorted(set(counted)))
        self.assertEqual(counted[-10:], list(range(21, 31)))
        self.assertEqual(sum(isinstance(record, conadv.WentBack) for record in records), 2)
        self.assertEqual(seen[-1][0], 30)
        self.assertEqual(len({lineage for _, lineage, _ in seen}), 3)
        for number, _, scalar in seen:
            self.assertEqual(scalar, after(plan.initial, number)["scalar"].item())


class Secured(unittest.TestCase):
    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.root)

    def issue(self, name, role):
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}/OU={role}",
                     "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self.root / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                     "-days", "2", "-out", f"{name}.crt", "-extfile", "names")

    def test_a_certificate_or_a_token_opens_what_its_role_may_and_they_rotate(self):
        with tempfile.TemporaryDirectory() as directory:
            self.root = pathlib.Path(directory)
            self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                         "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.crt")
            for name, role in (("server-0", "server"), ("worker", "worker"), ("viewer", "viewer")):
                self.issue(name, role)
            (self.root / "tokens").write_text("worker token-of-a-worker-1\nviewer token-of-a-viewer-1\n")
            path = lambda name: str(self.root / name)
            flags = [f"--tls_ca={path('ca.crt')}", f"--tls_cert={path('server-0.crt')}",
                     f"--tls_key={path('server-0.key')}", f"--tokens={path('tokens')}"]
            with cluster(BINARIES, flags=flags, steps=4) as servers:
                connect = lambda **files: conadv.connect(servers.address, tls_ca=path("ca.crt"), timeout=5, **files)
                with self.assertRaises(conadv.AccessError):
                    connect()
                with self.assertRaises(conadv.UnavailableError):  # it does not speak TLS
                    conadv.connect(servers.address, timeout=0.5)
                with self.assertRaisesRegex(ValueError, "tls_ca is missing"):
                    conadv.connect(servers.address, token_file=path("tokens"))
                (self.root / "token").write_text("token-of-a-viewer-1\n")
                viewer = connect(token_file=path("token"))
                self.assertEqual(viewer.status().version, 0)
                with self.assertRaises(conadv.AccessError), conadv.Worker(viewer, small_plan()) as worker:
                    next(worker.units())
                # The same object shows another token once the file has one.
                (self.root / "next").write_text("token-of-a-worker-1\n")
                (self.root / "next").rename(self.root / "token")
                train(viewer, small_plan(), until=2)
                with connect(tls_cert=path("viewer.crt"), tls_key=path("viewer.key")) as by_certificate:
                    self.assertEqual(by_certificate.pull(2).version, 2)
                with connect(tls_cert=path("worker.crt"), tls_key=path("worker.key")) as by_certificate:
                    train(by_certificate, small_plan())
                viewer.close()
                self.assertEqual(servers.wait(), [0])


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
