# SPDX-License-Identifier: Apache-2.0
"""A test that starts the pods of a kustomization, each with its very arguments, on a node of its own (node.py)."""
import pathlib
import queue
import random
import ssl
import struct
import sys
import time
import unittest
import urllib.error
import urllib.request

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "manifests"))

import manifests
import node
from calls import SERVING, Peer
from cluster_dns import ClusterDns
from kustomize import KUBERNETES, ROOT, render

__all__ = ["KUBERNETES", "ROOT", "ClusterCase"]
DATA = "/usr/share/datasets/fashion-mnist"
EXAMPLES = 64
DEADLINE = 100  # seconds, for all that should take a few


def job(steps, server=""):
    """A job that trains on what write_data writes."""
    return f"""name: "deploy-test"
model {{ builtin: "mlp" width: 8 }}
dataset {{ path: "{DATA}" }}
training {{ algorithm: CONADV tau: 1 global_batch: 16 slots: 4 steps: {steps} }}
optimizer {{ sgd {{ momentum: 0.9 }} }}
schedule {{ peak: 0.1 constant {{}} }}
server {{ {server} }}
evaluation {{ attack_steps: 1 }}
"""


def write_data(folder):
    """A set in the MNIST family's format: random images of 28 x 28, 10 classes."""
    folder.mkdir()
    dice = random.Random(1)
    for part in ("train", "t10k"):
        images = bytes(dice.randrange(256) for _ in range(EXAMPLES * 28 * 28))
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, EXAMPLES, 28, 28) + images)
        labels = bytes(i % 10 for i in range(EXAMPLES))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, EXAMPLES) + labels)


class ClusterCase(unittest.TestCase):
    """`overlay` names the kustomization, `job_text` the job that its ConfigMap has here."""
    binaries = ""
    overlay = "local"
    job_text = job(5)
    secrets = {}  # name → {file: text}
    node = dns = None  # of all tests

    def setUp(self):
        self.began = time.monotonic()
        objects = render(KUBERNETES / self.overlay)
        self.pods = {p.name: p for p in manifests.pods(objects)}
        self.entrypoints = manifests.entrypoints(manifests.DOCKERFILE.read_text())
        self.config_maps = {o["metadata"]["name"]: {file: self.job_text for file in o["data"]}
                            for o in objects if o["kind"] == "ConfigMap"}
        self.running = {}
        self.started = []
        self.passed = False

    def tearDown(self):
        for pod in self.started if not self.passed else []:
            print(f"--- {pod.pod.name}: exit code {pod.exit_code()}\n{pod.log.read_text(errors='replace')[-4000:]}",
                  file=sys.stderr)

    def say(self, what):
        print(f"{time.monotonic() - self.began:6.1f} s  {what}", flush=True)

    def start(self, *names):
        for name in names:
            pod = self.pods[name]
            entrypoint = self.entrypoints[pod.image.removeprefix("conadv-")]
            self.running[name] = self.node.start(pod, entrypoint, self.config_maps, self.secrets)
            self.started.append(self.running[name])
            if pod.subdomain:
                self.dns.publish(pod.host, self.running[name].address)
            self.say(f"{name} has started")

    def terminate(self, *names):
        """Their exit codes, by name."""
        for name in names:
            self.running[name].terminate()
        return self.wait(*names)

    def wait(self, *names):
        codes = {name: self.running[name].wait() for name in names}
        self.say(f"ended: {codes}")
        return codes

    def wait_until_missed(self, name, by):
        """Until `by` has asked for the address of the pod `name`, which has none yet."""
        deadline = time.monotonic() + DEADLINE
        asker = self.running[by].address
        while True:
            self.assertIsNone(self.running[by].exit_code(), f"{by} ended while {name} was not there")
            try:
                missed = self.dns.missed.get(timeout=1)
            except queue.Empty:
                self.assertLess(time.monotonic(), deadline, f"{by} never looked for {name}")
                continue
            if missed == (self.pods[name].host, asker):
                self.say(f"{by} looks for {name}")
                return

    def wait_until_logged(self, name, text):
        deadline = time.monotonic() + DEADLINE
        pod = self.running[name]
        while text not in pod.log.read_text(errors="replace"):
            self.assertIsNone(pod.exit_code(), f"{name} ended before it said '{text}'")
            self.assertLess(time.monotonic(), deadline, f"{name} never said '{text}'")
            pod.wait_for(0.2)
        self.say(f"{name} says: …{text}…")

    def files(self, name, mount, pattern):
        """What a pod's volume at `mount` has, here."""
        pod = self.pods[name]
        return list(node.volume_of(pod, pod.mounts[mount]).rglob(pattern))

    def get(self, name, path, token=""):
        """The status of an HTTP answer of a pod. As the kubelet's, it looks at no certificate."""
        pod = self.pods[name]
        scheme = "https" if self.secrets else "http"
        request = urllib.request.Request(f"{scheme}://{self.running[name].address}:{pod.ports['http']}{path}")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        handlers = [urllib.request.ProxyHandler({})]
        if self.secrets:
            any_certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            any_certificate.check_hostname = False
            any_certificate.verify_mode = ssl.CERT_NONE
            handlers.append(urllib.request.HTTPSHandler(context=any_certificate))
        opener = urllib.request.build_opener(*handlers)
        try:
            return opener.open(request, timeout=DEADLINE).status
        except urllib.error.HTTPError as answer:
            return answer.code

    def assert_probes_succeed(self, name):
        """Every probe of a pod, as the kubelet makes them."""
        pod = self.pods[name]
        self.assertTrue(pod.probes)
        for what, probe in pod.probes.items():
            if probe.path:
                self.assertEqual((probe.scheme, probe.port), ("HTTPS" if self.secrets else "HTTP", pod.ports["http"]))
                self.assertEqual(self.get(name, probe.path), 200, f"{name}: {what}")
            else:
                peer = Peer(f"{self.running[name].address}:{probe.port}")
                self.assertEqual(peer.health(DEADLINE, probe.service), SERVING, what)

    def peer(self, name):
        return Peer(f"{self.running[name].address}:{self.pods[name].ports['grpc']}")


def main(module, usage):
    """Runs the tests of `module`, with the folder of binaries as the first argument."""
    if len(sys.argv) < 2 or not (pathlib.Path(sys.argv[1]) / "conadv-server").exists():
        sys.exit(usage)
    if not node.inside():
        if reason := node.reason_against():
            print(f"skipped: {reason}")
            sys.exit(77)
        node.enter()
    node.start_fresh()
    ClusterCase.binaries = sys.argv.pop(1)
    write_data(node.WORK / "data")
    ClusterCase.node = node.Node(ClusterCase.binaries, {DATA: node.WORK / "data"})
    ClusterCase.dns = ClusterDns(node.BRIDGE)
    unittest.main(module=module)
