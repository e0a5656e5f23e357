#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The launchers for clusters without Kubernetes train a small job on hosts of their own, stop it, and go on.

    launch_test.py FOLDER_OF_BINARIES         (exit code 77: cannot be run here)

ssh and Slurm are stood for by fake/.
"""
import os
import pathlib
import signal
import subprocess
import sys
import time

import cluster_case
import node
from calls import Peer
from cluster_case import DEADLINE

FAKE = pathlib.Path(__file__).resolve().parent / "fake"
STEPS, LONG = 40, 4000


class LaunchTest(cluster_case.ClusterCase):
    def setUp(self):
        self.began = time.monotonic()
        self.folder = node.WORK / "launch" / self.id().rpartition(".")[2]
        self.out = self.folder / "out"
        (self.folder / "homes").mkdir(parents=True)
        self.hosts = [self.node.host() for _ in range(2)]
        self.environment = {
            **os.environ, "PATH": f"{FAKE}:{os.environ['PATH']}", "BIN": str(pathlib.Path(self.binaries).resolve()),
            "OUT": str(self.out), "HOMES": str(self.folder / "homes"), "PORT": "7100",
            "FAKE_SCONTROL_LOG": str(self.folder / "scontrol"), "FAKE_STEP": str(self.folder / "step"), "FAKE_NODES": " ".join(self.hosts),
            "SLURM_JOB_ID": "7", "SLURM_CPUS_PER_TASK": "1", "SERVERS": "2",
            "SERVER_FLAGS": "--insecure", "WORKER_FLAGS": f"--data_dir={node.WORK}/data"}
        self.log = self.folder / "log"
        self.running, self.passed = {}, False

    def tearDown(self):
        if not self.passed:
            for log in (self.log, *self.out.glob("*.log")):
                print(f"--- {log}\n{log.read_text(errors='replace')[-3000:]}", file=sys.stderr)

    def launch(self, script, *arguments, steps):
        job = self.folder / "job.textproto"
        job.write_text(cluster_case.job(steps, server="checkpoint_every: 20"))
        with open(self.log, "ab") as log:
            return subprocess.Popen(["bash", cluster_case.ROOT / "deploy" / script, *arguments, job], cwd=self.folder,
                                    env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def code_of(self, launched):
        code = launched.wait(DEADLINE)
        self.say(f"the launcher has ended with {code}")
        return code

    def first_version(self):
        """The oldest that shard 0 keeps, once it has published another 30."""
        peer = Peer(f"{self.hosts[0]}:7100")
        peer.wait_until_serving(DEADLINE)
        seen = peer.wait_for_version(0, DEADLINE)
        peer.wait_for_version(seen[0] + 30, DEADLINE)
        return seen[0]

    def checkpoints(self, folder):
        return list(folder.rglob("shard-*/manifest.json"))


class SshTest(LaunchTest):
    def hosts_file(self):
        a, b = self.hosts
        file = self.folder / "hosts"
        worker = f"--threads=1 --data_dir={node.WORK}/data"
        file.write_text(f"# a comment\n\n{a} server --insecure\n{b} server --insecure\n"
                        f"{a} worker {worker}\n{b} worker {worker}\n{b} evaluator --data_dir={node.WORK}/data\n")
        return file

    def run_to_its_end(self, steps):
        return self.code_of(self.launch("ssh/run.sh", self.hosts_file(), steps=steps))

    def test_a_run_over_ssh_ends_with_its_model(self):
        self.assertEqual(self.run_to_its_end(STEPS), 0)
        self.assertEqual((self.out / "model.pt").read_bytes()[:2], b"PK", "TorchScript is a zip file")
        log = self.log.read_text()
        for name in ("server-0", "server-1", "evaluator-0"):
            self.assertIn(f"{name} on ", log)
            self.assertTrue((self.out / f"{name}.log").exists())
        for host in self.hosts:
            self.assertTrue(self.checkpoints(self.folder / "homes" / host / "conadv-run/checkpoints"), host)
        self.passed = True

    def test_a_stopped_run_goes_on_from_its_checkpoint(self):
        launched = self.launch("ssh/run.sh", self.hosts_file(), steps=LONG)
        self.first_version()
        launched.send_signal(signal.SIGTERM)
        self.assertEqual(self.code_of(launched), 143)
        for name in ("server-0", "server-1", "worker-0", "worker-1", "evaluator-0"):
            self.assertIn(f"{name} on ", self.log.read_text(), "every process has ended before the launcher does")
        launched = self.launch("ssh/run.sh", self.hosts_file(), steps=LONG)
        self.assertGreater(self.first_version(), 0)
        launched.send_signal(signal.SIGINT)
        self.assertEqual(self.code_of(launched), 130)
        self.passed = True

    def test_what_will_never_do_ends_the_run_at_once(self):
        hosts = self.hosts_file()
        hosts.write_text(hosts.read_text().replace(f"--data_dir={node.WORK}/data", "--data_dir=/nowhere"))
        self.assertEqual(self.code_of(self.launch("ssh/run.sh", hosts, steps=LONG)), 42)
        self.assertIn("/nowhere", self.log.read_text(), "it says why")
        self.passed = True


class SlurmTest(LaunchTest):
    def sbatch(self, steps, tasks=5):
        self.environment["SLURM_NTASKS"] = str(tasks)
        return self.launch("slurm/conadv.sbatch", steps=steps)

    def test_a_run_under_slurm_ends_with_its_model(self):
        self.assertEqual(self.code_of(self.sbatch(STEPS)), 0)
        self.assertEqual((self.out / "model.pt").read_bytes()[:2], b"PK")
        self.assertTrue(self.checkpoints(self.out / "checkpoints"))
        self.passed = True

    def test_a_preempted_run_is_queued_again_and_goes_on(self):
        launched = self.sbatch(LONG)
        self.first_version()
        launched.send_signal(signal.SIGTERM)
        self.assertEqual(self.code_of(launched), 143)
        self.assertEqual((self.folder / "scontrol").read_text(), "requeue 7\n")
        launched = self.sbatch(LONG)
        self.assertGreater(self.first_version(), 0)
        launched.send_signal(signal.SIGTERM)
        self.assertEqual(self.code_of(launched), 143)
        self.passed = True

    def test_what_will_never_do_is_not_tried_again(self):
        self.environment["WORKER_FLAGS"] = "--data_dir=/nowhere"
        self.assertEqual(self.code_of(self.sbatch(LONG)), 42)
        self.assertNotIn("attempt", self.log.read_text())
        self.passed = True

    def test_too_few_tasks_will_never_do(self):
        self.assertEqual(self.code_of(self.sbatch(STEPS, tasks=3)), 42)
        self.passed = True


if __name__ == "__main__":
    cluster_case.main(__name__, __doc__)
