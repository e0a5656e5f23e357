#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The pods of the overlay `jobset` train to their own end, whether or not the JobSet is suspended on the way.

    jobset_test.py FOLDER_OF_BINARIES         (exit code 77: cannot be run here)
"""
import shutil

import cluster_case
import node
from cluster_case import DEADLINE

STEPS = 400
RESULTS = "/var/lib/conadv"
FIRST = "conadv-server-0-0"


class JobSetTest(cluster_case.ClusterCase):
    overlay = "jobset"
    # No checkpoint on the way but those that are asked for.
    job_text = cluster_case.job(STEPS, server="checkpoint_every: 1000")

    def setUp(self):
        super().setUp()
        shutil.rmtree(node.WORK / "claims", ignore_errors=True)
        self.names = list(self.pods)

    def final_weights(self):
        """The bytes of every shard's last checkpoint, by its path."""
        found = self.files(FIRST, RESULTS, f"{STEPS:012}/shard-*/weights.safetensors")
        return {str(file).rpartition("checkpoints/")[2]: file.read_bytes() for file in found}

    def complete(self):
        """Until every pod has ended, as a run that is over does."""
        self.assertEqual(self.wait_for_all(), {name: 0 for name in self.names})
        (model,) = self.files(FIRST, RESULTS, "model.pt")
        self.assertEqual(model.read_bytes()[:2], b"PK", "TorchScript is a zip file")
        weights = self.final_weights()
        self.assertEqual(len(weights), 2, "one for each shard")
        return weights

    def wait_for_all(self):
        for name in self.names:
            self.running[name].wait_for(DEADLINE)
        return self.wait(*self.names)

    def test_a_suspended_run_loses_no_version_and_ends_with_the_same_weights(self):
        self.start(*self.names)
        plain = self.complete()

        shutil.rmtree(node.WORK / "claims")
        self.start(*self.names)
        before = self.peer(FIRST).wait_for_version(50, DEADLINE)[-1]
        self.say(f"suspended after version {before}")
        codes = self.terminate(*self.names)
        self.assertEqual(set(codes.values()), {143}, "a pod that was stopped has not succeeded")
        self.assertFalse(self.final_weights(), "it was stopped before its end")
        self.start(*self.names)
        resumed = self.peer(FIRST).wait_for_version(STEPS, DEADLINE)
        self.say(f"resumed, with versions from {resumed[0]}")
        self.assertGreaterEqual(resumed[0], before)
        self.assertEqual(self.complete(), plain)
        self.passed = True

    def test_a_job_that_will_never_do_ends_every_pod_that_sees_it_with_42(self):
        self.config_maps = {name: {file: "no job" for file in files} for name, files in self.config_maps.items()}
        self.start(FIRST)
        self.assertEqual(self.wait(FIRST), {FIRST: 42})
        self.passed = True


if __name__ == "__main__":
    cluster_case.main(__name__, __doc__)
