#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The pods of the manifests train on while the network between some of them is silent: no packet, no reset.

    partition_test.py FOLDER_OF_BINARIES         (exit code 77: cannot be run here)
"""
import subprocess
import time

import grpc
import cluster_case

STEPS, FAR = 600, 80


class PartitionTest(cluster_case.ClusterCase):
    overlay = "local"
    job_text = cluster_case.job(STEPS, server="lease_seconds: 2 checkpoint_every: 20")

    def reach(self, version):
        """Until server 0 has published `version`, over any number of lineages; the version it has then."""
        deadline = time.monotonic() + cluster_case.DEADLINE
        while True:
            try:
                left = deadline - time.monotonic()
                self.assertGreater(left, 0, f"version {version} was never published")
                return self.peer("conadv-server-0").wait_for_version(version, left)[-1]
            except (grpc.RpcError, AssertionError):
                if time.monotonic() > deadline:
                    raise

    def ip(self, pod, *command):
        subprocess.run(["ip", "-n", pod, *command], check=True)

    def test_training_goes_on_around_a_silent_network(self):
        self.start(*self.pods)
        version = self.reach(30)

        # A worker that reaches the coordinator, but not the other shard.
        hole = f"{self.running['conadv-server-1'].address}/32"
        self.ip("conadv-worker-1", "route", "add", "blackhole", hole)
        self.say(f"version {version}: conadv-worker-1 does not reach conadv-server-1 any more")
        version = self.reach(version + FAR)
        self.say(f"version {version} without it")
        self.ip("conadv-worker-1", "route", "del", "blackhole", hole)
        version = self.reach(version + FAR)

        # A shard that nobody reaches: the run waits for it, and goes back to what all shards have.
        self.ip("conadv-server-1", "link", "set", "eth0", "down")
        self.say(f"version {version}: nobody reaches conadv-server-1")
        self.running["conadv-server-1"].wait_for(5)
        self.ip("conadv-server-1", "link", "set", "eth0", "up")
        self.say("everybody does again")
        self.assertEqual(self.reach(STEPS), STEPS)
        self.say("the last version is published")
        self.assertEqual(self.peer("conadv-server-0").wait_for_final_evaluation(cluster_case.DEADLINE),
                         cluster_case.EXAMPLES)
        for name, pod in self.running.items():
            self.assertIsNone(pod.exit_code(), f"{name} must wait when the job is done")
        self.assertEqual(set(self.terminate(*self.running).values()), {0}, "they must leave in peace on SIGTERM")
        self.passed = True


if __name__ == "__main__":
    cluster_case.main(__name__, __doc__)
