#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The pods of the overlay `production` train with TLS and tokens, and take nobody else in.

    secure_pods_test.py FOLDER_OF_BINARIES         (exit code 77: cannot be run here)
"""
import subprocess

import certificates
import cluster_case
import grpc
import yaml
from calls import Peer
from cluster_case import DEADLINE, EXAMPLES

STEPS = 60
# Those that cert-manager is asked for, beside localhost.
NAMES = ["*.conadv-server.conadv.svc"]


def tokens():
    """What deploy/kubernetes/tokens.sh prints."""
    secret = yaml.safe_load(subprocess.run([cluster_case.KUBERNETES / "tokens.sh"], capture_output=True, text=True,
                                           check=True).stdout)
    return {secret["metadata"]["name"]: secret["stringData"]}


class SecurePodsTest(cluster_case.ClusterCase):
    overlay = "production"
    job_text = cluster_case.job(STEPS)

    def setUp(self):
        super().setUp()
        self.secrets = {"conadv-tls": certificates.secret(NAMES, "server"), **tokens()}

    def peer(self, name, role="viewer"):
        pod = self.pods[name]
        return Peer(f"{self.running[name].address}:{pod.ports['grpc']}", roots=self.secrets["conadv-tls"]["ca.crt"],
                    name=pod.host, token=self.secrets["conadv-tokens"][role] if role else "")

    def test_they_train_with_tls_and_tokens_and_take_nobody_else_in(self):
        servers = [name for name in self.pods if name.startswith("conadv-server-")]
        first = servers[0]
        self.start(*servers, "conadv-evaluator-0", "conadv-worker-0", "conadv-worker-1")
        for name in servers:
            self.peer(name, role=None).wait_until_serving(DEADLINE)
        for name in servers:
            self.assertEqual(self.peer(name).wait_for_version(STEPS, DEADLINE)[-1], STEPS)
            self.assert_probes_succeed(name)
            self.assertEqual(self.get(name, "/metrics"), 401)
            # As the PodMonitor tells Prometheus.
            self.assertEqual(self.get(name, "/metrics", token=self.secrets["conadv-tokens"]["viewer"]), 200)
        self.assertEqual(self.peer(first).wait_for_final_evaluation(DEADLINE), EXAMPLES)
        self.say("the final weights are evaluated")
        with self.assertRaises(grpc.RpcError) as refused:
            self.peer(first, role=None).wait_for_version(0, DEADLINE)
        self.assertEqual(refused.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
        # Not one of these pods': its token is of another cluster.
        stranger = "conadv-worker-2"
        self.secrets = {**self.secrets, **tokens()}
        self.start(stranger)
        self.wait(stranger)
        self.assertIn("token", self.running[stranger].log.read_text())
        left = [name for name in self.running if name != stranger]
        self.assertEqual(self.terminate(*left), {name: 0 for name in left})
        self.passed = True


if __name__ == "__main__":
    cluster_case.main(__name__, __doc__)
