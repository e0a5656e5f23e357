# SPDX-License-Identifier: Apache-2.0
"""Real servers of small runs for the tests: the job's gradients are the tests' own."""
import contextlib
import pathlib
import subprocess
import tempfile
import time

import numpy

import conadv
from conadv.v1.coordinator_pb2 import OBSERVER

JOB = """
name: "small" model {{ builtin: "mlp" }} dataset {{ path: "unused" }}
training {{ algorithm: VANILLA mixture_batch_norm: false global_batch: 4 slots: 2 steps: {steps} {training} }}
optimizer {{ sgd {{ momentum: 0 weight_decay: 0 }} {optimizer} }}
schedule {{ peak: 0.5 warmup: 0 constant {{}} }}
server {{ checkpoint_every: 10 {server} }}
evaluation {{ attack_steps: 0 }} {more}
"""
RATE = 0.5
LAST_WORDS = 30  # seconds for a process to end by itself


class Cluster:
    """Shards of one run, each a process."""

    def __init__(self, binaries, job, shards=1, flags=(), checkpoints=None):
        """`checkpoints`: a directory for them; without one they are the cluster's own."""
        self._binaries = binaries
        self._directory = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self._directory.name)
        (self.root / "job.textproto").write_text(job)
        self._shards, self._flags, self._checkpoints = shards, list(flags), checkpoints or self.root
        self._processes, self.addresses = [], []
        for shard in range(shards):
            self._processes.append(None)
            self.addresses.append("127.0.0.1:0")
            self.start(shard)

    @property
    def address(self):
        return self.addresses[0]

    def start(self, shard):
        """Once more: where it was before."""
        command = [self._binaries / "conadv-server", f"--shard={shard}", f"--shards={self._shards}",
                   f"--listen={self.addresses[shard]}", f"--checkpoint_dir={self._checkpoints / f'checkpoints-{shard}'}", *self._flags]
        command.append(f"--job={self.root / 'job.textproto'}" if shard == 0 else f"--coordinator={self.address}")
        with open(self.root / f"server-{shard}.log", "ab") as log:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        self._processes[shard] = process
        for line in process.stdout:
            if "listening on " in line:
                self.addresses[shard] = line.split("listening on ")[1].strip()
                return
        raise AssertionError(f"server-{shard} did not listen:\n{self.log(shard)}")

    def kill(self, shard):
        self._processes[shard].kill()
        self._end(self._processes[shard])

    def wait(self):
        """Until every server has ended by itself: their exit codes."""
        return [process.wait(LAST_WORDS) for process in self._processes]

    def log(self, shard):
        return (self.root / f"server-{shard}.log").read_text()

    def close(self):
        for process in self._processes:
            if process is not None:
                process.kill()
                self._end(process)
        self._directory.cleanup()

    @staticmethod
    def _end(process):
        process.wait()
        process.stdout.close()


@contextlib.contextmanager
def cluster(binaries, shards=1, flags=(), checkpoints=None, steps=30, training="", optimizer="", server="", more=""):
    made = Cluster(binaries, JOB.format(steps=steps, training=training, optimizer=optimizer, server=server, more=more),
                   shards, flags, checkpoints)
    try:
        yield made
    finally:
        made.close()


def await_observer(run, count=1):
    """So many have joined. One joins again once the coordinator is back; a run that ends before that would not wait for it."""
    begin = time.monotonic()
    while sum(member.role == OBSERVER for member in run.workers().members) < count:
        if time.monotonic() - begin > LAST_WORDS:
            raise AssertionError(f"there are not {count} observers")


def small_plan(examples=100):
    """Two shards of tensors, one of them larger than a message."""
    rng = numpy.random.default_rng(1)
    shapes = {"large": (600, 500), "weight": (70, 30), "bias": (30,), "scalar": ()}
    tensors = tuple(conadv.Tensor(name, shape, conadv.WEIGHT if len(shape) > 1 else conadv.NO_DECAY)
                    for name, shape in shapes.items())
    initial = {name: numpy.asarray(rng.standard_normal(shape, dtype=numpy.float32)) for name, shape in shapes.items()}
    return conadv.Plan(tensors, initial, examples)


def gradients_of(weights, step, slot):
    """A function of the weights and the unit, in float32, whose sums are exact in any order."""
    return {name: numpy.round(array * 8) / 8 * numpy.float32((step + 1) % 3) + numpy.float32(slot)
            for name, array in weights.items()}


def after(initial, steps):
    """What the servers should have then."""
    weights = dict(initial)
    for step in range(steps):
        both = [gradients_of(weights, step, slot) for slot in range(2)]
        weights = {name: weights[name] - numpy.float32(RATE) * ((both[0][name] + both[1][name]) / numpy.float32(2))
                   for name in weights}
    return weights


def train(run, plan, until=None, before=lambda unit: None):
    """Works until the run, or step `until`, is over."""
    with conadv.Worker(run, plan) as worker:
        for unit in worker.units():
            if until is not None and unit.step >= until:
                return
            before(unit)
            with unit:
                unit.push("clean", gradients_of(unit.weights, unit.step, unit.slot), loss=1.0, accuracy=0.5)
