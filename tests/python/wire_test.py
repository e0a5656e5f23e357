#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Another language pulls and pushes with nothing but the contract: wire_test.py BINARIES.

The classes are generated from proto/ by protoc, and the calls are grpcio's."""
import importlib
import pathlib
import subprocess
import sys
import tempfile
import unittest

import grpc
import numpy

BINARIES = None
PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
SERVICE = "/conadv.v1.ParameterServer/"
RATE = 0.5
ELEMENTS = 700_000  # more than a message
JOB = f"""
model {{ builtin: "mlp" }} dataset {{ path: "unused" }}
training {{ algorithm: VANILLA global_batch: 2 slots: 1 steps: 10 }}
optimizer {{ sgd {{ momentum: 0 weight_decay: 0 }} }}
schedule {{ peak: {RATE} warmup: 0 constant {{}} }}
evaluation {{ attack_steps: 0 }}
"""


def generate(directory):
    subprocess.run(["protoc", f"-I{PROTO}", f"--python_out={directory}"]
                   + [str(path) for path in sorted(PROTO.rglob("*.proto"))], check=True)
    sys.path.insert(0, str(directory))
    return importlib.import_module("conadv.v1.parameter_server_pb2")


def nearest_bfloat16(values):
    bits = values.view(numpy.uint32)
    return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16 << 16


class Wire(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        root = pathlib.Path(cls.directory.name)
        cls.pb = generate(root)
        (root / "job.textproto").write_text(JOB)
        cls.server = subprocess.Popen([BINARIES / "conadv-server", f"--job={root / 'job.textproto'}"],
                                      stdout=subprocess.PIPE, text=True)
        address = next(line for line in cls.server.stdout if "listening on " in line).split("listening on ")[1].strip()
        cls.channel = grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])
        cls.initial = numpy.random.default_rng(1).standard_normal(ELEMENTS, dtype=numpy.float32)
        cls.offer()

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        cls.server.kill()
        cls.server.wait()
        cls.server.stdout.close()
        cls.directory.cleanup()

    @classmethod
    def offer(cls):
        header = cls.pb.PushHeader(worker="python")
        plan = header.initial_weights.plan
        plan.tensors.add(name="weight", shape=[ELEMENTS])
        plan.examples, plan.steps = 8, 10
        cls.push(header, cls.initial.tobytes(), 4)

    @classmethod
    def push(cls, header, payload, width):
        def chunks():
            # From the end on, as a backward pass has them; the order is the sender's.
            size = 1 << 20
            for i, begin in enumerate(reversed(range(0, len(payload), size))):
                yield cls.pb.PushRequest(header=header if i == 0 else None, offset=begin // width,
                                         payload=payload[begin:begin + size])
        call = cls.channel.stream_unary(SERVICE + "Push", cls.pb.PushRequest.SerializeToString,
                                        cls.pb.PushResponse.FromString)
        return call(chunks(), timeout=30)

    def pull(self, **selector):
        call = self.channel.unary_stream(SERVICE + "Pull", self.pb.PullRequest.SerializeToString,
                                         self.pb.PullResponse.FromString)
        parts = list(call(self.pb.PullRequest(**selector), timeout=30))
        return parts[0].header, b"".join(part.payload for part in parts)

    def contribution(self, step, values, element_type):
        header, _ = self.pull(latest=True)
        push = self.pb.PushHeader(worker="python", layout_hash=header.layout_hash, element_type=element_type)
        push.contribution.step = push.contribution.update_version = push.contribution.attack_version = step
        payload, width = values.tobytes(), 4
        if element_type == self.pb.BFLOAT16:
            payload, width = (values.view(numpy.uint32) >> 16).astype("<u2").tobytes(), 2
        return self.push(push, payload, width)

    def test_whoever_has_the_contract_pulls_pushes_and_gets_the_next_version(self):
        header, payload = self.pull(version=0)
        self.assertEqual(header.size, ELEMENTS)
        weights = numpy.frombuffer(payload, dtype="<f4")
        self.assertTrue((weights == self.initial).all())
        # Of bfloat16, as they are asked for.
        header, payload = self.pull(version=0, element_type=self.pb.BFLOAT16)
        self.assertEqual(header.element_type, self.pb.BFLOAT16)
        rounded = numpy.frombuffer(payload, dtype="<u2").astype(numpy.uint32) << 16
        self.assertTrue((rounded == nearest_bfloat16(self.initial)).all())
        # A gradient of float32, and one of bfloat16, which is kept as what it is.
        gradient = numpy.random.default_rng(2).standard_normal(ELEMENTS, dtype=numpy.float32)
        self.assertEqual(self.contribution(0, gradient, self.pb.FLOAT32).outcome, self.pb.PushResponse.ACCEPTED)
        weights = numpy.frombuffer(self.pull(version=1)[1], dtype="<f4")
        self.assertTrue((weights == self.initial - numpy.float32(RATE) * gradient).all())
        short = nearest_bfloat16(gradient).view(numpy.float32)
        self.contribution(1, short, self.pb.BFLOAT16)
        self.assertTrue((numpy.frombuffer(self.pull(version=2)[1], dtype="<f4")
                         == weights - numpy.float32(RATE) * short).all())
        self.assertEqual(self.contribution(1, short, self.pb.BFLOAT16).outcome, self.pb.PushResponse.DUPLICATE)


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1))
    unittest.main()
