#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints and results on a network's disk, with a real file system in between: storage_test.py BINARIES.

Needs FUSE: /dev/fuse, and the right to mount."""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import conadv

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "clients/python"))
from cluster import after, cluster, small_plan, train  # noqa: E402

BINARIES = None
FAILING = "failing=weights.safetensors,model.pt,metrics.jsonl"
DATA = "/usr/share/datasets/fashion-mnist"


@contextlib.contextmanager
def network_disk(*faults):
    """(where it is mounted, what is really there)."""
    with tempfile.TemporaryDirectory() as directory:
        root = pathlib.Path(directory)
        (root / "mounted").mkdir()
        (root / "real").mkdir()
        process = subprocess.Popen(["/usr/bin/python3", "-B", HERE / "network_disk.py", root / "real", root / "mounted",
                                    *faults], stderr=subprocess.PIPE, text=True)
        try:
            while not (root / "mounted").is_mount():
                if process.poll() is not None:
                    raise AssertionError(f"cannot mount a file system of FUSE here: {process.stderr.read()}")
            yield root / "mounted", root / "real"
        finally:
            subprocess.run(["umount", "--lazy", root / "mounted"], check=False)
            process.wait()
            process.stderr.close()


def train_to(out, *settings):
    command = [BINARIES / "conadv", "train", f"--job={out.parent / 'job.textproto'}", f"--out={out}", "--json", "--servers=2",
               "--workers=1", "--threads=1"]
    done = subprocess.run(command + [f"--set={setting}" for setting in settings], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def write_job(directory):
    (directory / "job.textproto").write_text(f"""
        dataset {{ path: "{DATA}" limit: 64 }} model {{ builtin: "mlp" width: 32 }}
        training {{ tau: 1 global_batch: 32 slots: 2 steps: 16 }} server {{ checkpoint_every: 4 }}
        optimizer {{ sgd {{ momentum: 0.9 }} }}
        evaluation {{ limit: 16 attack_steps: 0 }}""")


@unittest.skipUnless(os.geteuid() == 0 and os.path.exists("/dev/fuse"), "mounting wants root and /dev/fuse")
class NetworkDisk(unittest.TestCase):
    def lose_both_shards(self, *faults):
        plan = small_plan()
        with network_disk(*faults) as (mounted, real):
            with cluster(BINARIES, shards=2, checkpoints=mounted) as servers:
                with conadv.connect(servers.address, timeout=60) as run, run.observe():
                    to_lose = {13: 1, 24: 0}

                    def lose_a_shard(unit):
                        shard = to_lose.pop(unit.step, None)
                        if shard is not None:
                            servers.kill(shard)
                            servers.start(shard)

                    train(run, plan, before=lose_a_shard)
                    weights = run.pull(30)
                    weights.save(str(mounted / "weights.safetensors"))
                    self.assertEqual({n: a.tolist() for n, a in weights.items()},
                                     {n: a.tolist() for n, a in after(plan.initial, 30).items()})
                    pulled = subprocess.run([BINARIES / "conadv", "pull", f"--server={servers.address}", "--json",
                                             f"--out={mounted / 'pulled.safetensors'}"], capture_output=True, text=True)
                    self.assertEqual(pulled.returncode, 0, pulled.stderr)
                self.assertEqual(servers.wait(), [0, 0], servers.log(0) + servers.log(1))
                log = servers.log(0)
            self.assertEqual((real / "pulled.safetensors").read_bytes(), (real / "weights.safetensors").read_bytes())
            return log

    def test_a_run_goes_on_from_checkpoints_there_and_nothing_is_lost(self):
        """Directories that cannot be synced, renames that copy, files that go stale under a reader."""
        log = self.lose_both_shards("stale=manifest.json")
        self.assertIn("cannot be told to keep what it has (fsync)", log)

    def test_a_shard_that_does_not_see_its_newest_checkpoints_yet_costs_only_work(self):
        self.lose_both_shards("silent")

    def test_writes_that_fail_cost_a_checkpoint_and_not_the_run(self):
        with tempfile.TemporaryDirectory() as directory, network_disk(FAILING) as (mounted, _):
            local = pathlib.Path(directory)
            for out in (local, mounted):
                write_job(out)
            plain, _ = train_to(local / "run")
            there, errors = train_to(mounted / "run")
            self.assertEqual(there["weights_crc32c"], plain["weights_crc32c"])
            for name in ("weights.safetensors", "model.pt"):
                self.assertEqual((mounted / "run" / name).stat().st_size, (local / "run" / name).stat().st_size, name)
            lines = [json.loads(line) for line in (mounted / "run" / "metrics.jsonl").read_text().splitlines()]
            self.assertEqual([line["step"]["version"] for line in lines if "step" in line], list(range(1, 17)))
            # Each of them did fail.
            logs = "".join(path.read_text() for path in (mounted / "run" / "logs").iterdir())
            for what in ("checkpoint of version", "the model was not written"):
                self.assertRegex(logs, f"{what}.*Input/output error")
            self.assertRegex(errors, "metrics.jsonl: Input/output error")


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
