#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The pods of the overlay `local`, each with its very arguments and environment, train a small job to its end.

    pods_test.py FOLDER_OF_BINARIES         (exit code 77: cannot be run here)
"""
import dataclasses

import cluster_case
from cluster_case import DEADLINE, EXAMPLES

STEPS = 1000


class PodsTest(cluster_case.ClusterCase):
    overlay = "local"
    job_text = cluster_case.job(STEPS)

    def test_a_job_is_trained_whatever_starts_first_and_workers_come_and_go(self):
        first = "conadv-server-0"
        self.start("conadv-worker-0")
        self.wait_until_missed(first, by="conadv-worker-0")
        self.start("conadv-server-1")
        self.wait_until_missed(first, by="conadv-server-1")
        for name, patience in (("conadv-worker-0", "10m"), ("conadv-server-1", "5m")):
            self.wait_until_logged(name, f"waiting up to {patience} for the coordinator at {self.pods[first].host}:7000")
        self.start(first, "conadv-evaluator-0", "conadv-worker-1")
        self.assertEqual(set(self.running), set(self.pods))

        servers = [first, "conadv-server-1"]
        for name in servers:
            self.peer(name).wait_until_serving(DEADLINE)
            self.say(f"{name} serves")
            # As its annotations tell Prometheus.
            self.assertEqual(self.get(name, "/metrics"), 200)
        # kubectl scale deployment/conadv-worker: to three, and then to one.
        self.pods["conadv-worker-2"] = dataclasses.replace(self.pods["conadv-worker-1"], name="conadv-worker-2")
        self.start("conadv-worker-2")
        self.wait_until_logged(first, "conadv-worker-2-")
        self.assertNotIn(None, self.terminate("conadv-worker-0", "conadv-worker-1").values())
        for name in servers:
            self.assertEqual(self.peer(name).wait_for_version(STEPS, DEADLINE)[-1], STEPS)
            self.say(f"{name} has published version {STEPS}")
        self.assertEqual(self.peer(first).wait_for_final_evaluation(DEADLINE), EXAMPLES)
        self.say("the final weights are evaluated")

        # Done, and still there: nothing for Kubernetes to restart, and the final weights can be had.
        left = [*servers, "conadv-evaluator-0", "conadv-worker-2"]
        for name in left:
            self.assertIsNone(self.running[name].exit_code(), f"{name} must wait when the job is done")
        for name in servers:
            self.assert_probes_succeed(name)
            self.assertEqual(self.peer(name).wait_for_version(STEPS, DEADLINE)[-1], STEPS)
            self.assertTrue(self.files(name, "/var/lib/conadv", "weights.safetensors"),
                            f"{name} has written no checkpoint")
        self.assertEqual(self.terminate(*left), {name: 0 for name in left})
        self.passed = True

    def test_who_was_told_of_another_number_of_shards_is_refused_with_both(self):
        servers = ["conadv-server-0", "conadv-server-1"]
        more = {name: self.pods[name] for name in ("conadv-server-1", "conadv-worker-0")}
        # The StatefulSet was scaled, and its pods were told of no more.
        self.pods["conadv-server-2"] = dataclasses.replace(more["conadv-server-1"], name="conadv-server-2")
        # A worker of another deployment.
        self.pods["stranger"] = dataclasses.replace(more["conadv-worker-0"], name="stranger", args=[
            arg.replace("{2}", "{3}") for arg in more["conadv-worker-0"].args])
        self.start(*servers, "conadv-server-2", "stranger")
        self.assertNotIn(0, self.wait("conadv-server-2", "stranger").values())
        self.assertIn("--shard=2 of 2 shards: they count from 0", self.running["conadv-server-2"].log.read_text())
        self.assertIn("was told of 3 servers", self.running["stranger"].log.read_text())
        self.terminate(*servers)
        self.passed = True


if __name__ == "__main__":
    cluster_case.main(__name__, __doc__)
