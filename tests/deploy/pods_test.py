#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The programs, started with the very arguments and environment of the manifests, train a tiny job to its end.

    pods_test.py FOLDER_OF_BINARIES         (exit code 77: cannot be run here)
"""
import pathlib
import queue
import random
import struct
import sys
import time
import unittest

import manifests
import node
from calls import SERVING, Peer
from cluster_dns import ClusterDns

DATA = "/usr/share/datasets/fashion-mnist"
STEPS, EXAMPLES = 5, 64
JOB = f"""name: "deploy-test"
model {{ builtin: "mlp" width: 8 }}
dataset {{ path: "{DATA}" }}
training {{ algorithm: CONADV tau: 1 global_batch: 16 slots: 4 steps: {STEPS} }}
optimizer {{ sgd {{ momentum: 0.9 }} }}
schedule {{ peak: 0.1 constant {{}} }}
evaluation {{ attack_steps: 1 }}
"""
DEADLINE = 100  # seconds, for all that should take a few


def write_data(folder):
    """A set in the MNIST family's format: random images of 28 x 28, 10 classes."""
    folder.mkdir()
    dice = random.Random(1)
    for part in ("train", "t10k"):
        images = bytes(dice.randrange(256) for _ in range(EXAMPLES * 28 * 28))
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, EXAMPLES, 28, 28) + images)
        labels = bytes(i % 10 for i in range(EXAMPLES))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, EXAMPLES) + labels)


class PodsTest(unittest.TestCase):
    binaries = ""

    def setUp(self):
        self.began = time.monotonic()
        objects = manifests.render(manifests.BASE)
        self.pods = {p.name: p for p in manifests.pods(objects)}
        self.entrypoints = manifests.entrypoints(manifests.DOCKERFILE.read_text())
        self.config_maps = {o["metadata"]["name"]: {file: JOB for file in o["data"]}
                            for o in objects if o["kind"] == "ConfigMap"}
        write_data(node.WORK / "data")
        self.node = node.Node(self.binaries, {DATA: node.WORK / "data"})
        self.dns = ClusterDns(node.BRIDGE)
        self.running = {}
        self.passed = False

    def tearDown(self):
        if self.passed:
            return
        for name, pod in self.running.items():
            print(f"--- {name}: exit code {pod.exit_code()}\n{pod.log.read_text(errors='replace')[-4000:]}",
                  file=sys.stderr)

    def say(self, what):
        print(f"{time.monotonic() - self.began:6.1f} s  {what}", flush=True)

    def start(self, name):
        pod = self.pods[name]
        target = pod.image.removeprefix("conadv-")
        self.running[name] = self.node.start(pod, self.entrypoints[target], self.config_maps)
        if pod.subdomain:
            self.dns.publish(f"{pod.hostname}.{pod.subdomain}", self.running[name].address)
        self.say(f"{name} has started")

    def wait_until_missed(self, name, by):
        """Until `by` has asked for the address of `name`, which has none yet."""
        deadline = time.monotonic() + DEADLINE
        asker = self.running[by].address
        while True:
            self.assertIsNone(self.running[by].exit_code(), f"{by} ended while {name} was not there")
            try:
                missed = self.dns.missed.get(timeout=1)
            except queue.Empty:
                self.assertLess(time.monotonic(), deadline, f"{by} never looked for {name}")
                continue
            if missed == (name, asker):
                self.say(f"{by} looks for {name}")
                return

    def peer(self, name):
        pod = self.running[name]
        return Peer(f"{pod.address}:{pod.pod.grpc_port}")

    def test_a_job_is_trained_whatever_starts_first(self):
        first = "conadv-server-0.conadv-server"
        self.start("conadv-worker-0")
        self.wait_until_missed(first, by="conadv-worker-0")
        self.start("conadv-server-1")
        self.wait_until_missed(first, by="conadv-server-1")
        for name in ("conadv-server-0", "conadv-evaluator-0", "conadv-worker-1"):
            self.start(name)
        self.assertEqual(set(self.running), set(self.pods))

        servers = ["conadv-server-0", "conadv-server-1"]
        for name in servers:
            self.peer(name).wait_until_serving(DEADLINE)
            self.say(f"{name} serves")
        for name in servers:
            self.assertEqual(self.peer(name).wait_for_version(STEPS, DEADLINE), list(range(STEPS + 1)))
            self.say(f"{name} has published version {STEPS}")
        self.assertEqual(self.peer(servers[0]).wait_for_final_evaluation(DEADLINE), EXAMPLES)
        self.say("the final weights are evaluated")

        # Done, and still there: nothing for Kubernetes to restart, and the final weights can be had.
        for name, pod in self.running.items():
            self.assertIsNone(pod.exit_code(), f"{name} must wait when the job is done")
        for name in servers:
            self.assertEqual(self.peer(name).health(DEADLINE), SERVING)
            self.assertEqual(self.peer(name).wait_for_version(STEPS, DEADLINE)[-1], STEPS)
            saved = list((self.running[name].volumes / "checkpoints").rglob("weights.safetensors"))
            self.assertTrue(saved, f"{name} has written no checkpoint")

        for pod in self.running.values():
            pod.terminate()
        for name, pod in self.running.items():
            self.assertEqual(pod.wait(), 0, f"{name} must leave in peace on SIGTERM")
            self.say(f"{name} has left")
        self.passed = True


def main(case, usage):
    if len(sys.argv) < 2 or not (pathlib.Path(sys.argv[1]) / "conadv-server").exists():
        sys.exit(usage)
    if not node.inside():
        if reason := node.reason_against():
            print(f"skipped: {reason}")
            sys.exit(77)
        node.enter()
    node.start_fresh()
    case.binaries = sys.argv.pop(1)
    unittest.main(defaultTest=case.__name__)


if __name__ == "__main__":
    main(PodsTest, __doc__)
