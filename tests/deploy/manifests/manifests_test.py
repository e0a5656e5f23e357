#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The overlays fit together and are valid Kubernetes objects, and what does not or is not is noticed."""
import copy
import json
import os
import pathlib
import re
import subprocess
import tempfile
import textwrap
import unittest

import kustomize
import manifests
import yaml
from kustomize import KUBERNETES, load, render
from packages import SUITES, packages_of
from rules import problems

OVERLAYS = ("local", "production", "jobset", "trainer")
# What is applied on its own, beside a kustomization.
FILES = ("trainer/trainjob.yaml", "production/namespace.yaml")
# And what people put together of them.
TLS, POLICY, CERTIFICATES, MONITOR = (f"../components/{c}" for c in ("tls", "network-policy", "cert-manager", "pod-monitor"))
MADE = (
    {"resources": ["../production"], "namespace": "conadv", "components": [CERTIFICATES, MONITOR]},
    {"resources": ["../jobset/base"], "components": [TLS, POLICY, MONITOR]},
    {"resources": ["../trainer/base"], "components": [TLS]},
)
SCHEMA = pathlib.Path(__file__).resolve().parent / "schema"


def schema_problems(objects):
    """Complaints, a list for each object."""
    text = subprocess.run(["node", SCHEMA / "validate.mjs", kustomize.TOOLS], input=json.dumps(objects),
                          capture_output=True, text=True)
    if text.returncode != 0:
        raise RuntimeError(f"validate.mjs: {text.stderr}")
    return json.loads(text.stdout)


def build(kustomization, **files):
    """What a kustomization of somebody's own makes, beside files of their own; its ../ is deploy/kubernetes."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            (pathlib.Path(folder) / name).write_text(text)
        (pathlib.Path(folder) / "kustomization.yaml").write_text(
            yaml.dump(kustomization).replace("../", f"{os.path.relpath(KUBERNETES, os.path.realpath(folder))}/"))
        return render(folder)


def tokens():
    """The Secret that tokens.sh prints."""
    printed = subprocess.run([KUBERNETES / "tokens.sh"], capture_output=True, text=True, check=True).stdout
    return yaml.safe_load(printed)


def entrypoints():
    return manifests.entrypoints(manifests.DOCKERFILE.read_text())


class OverlaysTest(unittest.TestCase):
    def test_every_overlay_fits_together(self):
        for overlay in OVERLAYS:
            with self.subTest(overlay=overlay):
                self.assertEqual(problems(render(KUBERNETES / overlay), entrypoints()), [])

    def test_what_people_put_together_fits_together(self):
        for kustomization in MADE:
            with self.subTest(kustomization=kustomization):
                self.assertEqual(problems(build(kustomization), entrypoints()), [])

    def test_the_documentations_kustomization_does_what_it_says(self):
        text = (kustomize.ROOT / "docs/kubernetes.md").read_text()
        (block,) = re.findall(r"\n    # kustomization.yaml\n((?:    .*\n)+)", text)
        own = yaml.safe_load(textwrap.dedent(block).replace("conadv/deploy/kubernetes/", "../"))
        objects = build(own, **{"job.textproto": "a job of one's own"})
        self.assertEqual(problems(objects, {"server": [], "worker": []}), [])
        pods = manifests.pods(objects)
        self.assertEqual([sum(p.image.endswith(f"/conadv-{name}") and f"-{name}-" in p.name for p in pods)
                          for name in ("server", "worker")], [8, 64])
        (job,) = [o["data"] for o in objects if o["kind"] == "ConfigMap"]
        self.assertEqual(job, {"job.textproto": "a job of one's own"})

    def test_the_secrets_have_the_keys_that_pods_mount(self):
        (certificate,) = [o for o in build(MADE[0]) if o["kind"] == "Certificate" and not o["spec"].get("isCA")]
        keys = {"conadv-tokens": set(tokens()["stringData"]),
                certificate["spec"]["secretName"]: {"ca.crt", "tls.crt", "tls.key"}}
        for pod in manifests.pods(render(KUBERNETES / "production")):
            for mount in pod.mounts.values():
                if mount.kind == "secret":
                    self.assertLessEqual(set(mount.keys), keys[mount.name], pod.name)
                    if not pod.name.startswith("conadv-server-"):
                        self.assertTrue(set(mount.keys) <= {"ca.crt", "worker"} and mount.keys, "no key, no other's token")

    def test_the_certificate_is_for_the_servers_names(self):
        (certificate,) = [o for o in build(MADE[0]) if o["kind"] == "Certificate" and not o["spec"].get("isCA")]
        (monitor,) = [o for o in build(MADE[0]) if o["kind"] == "PodMonitor"]
        names = [p.host for p in manifests.pods(render(KUBERNETES / "production")) if p.image == "conadv-server"]
        names.append(monitor["spec"]["podMetricsEndpoints"][0]["tlsConfig"]["serverName"])
        wildcard, _ = certificate["spec"]["dnsNames"]
        for name in names:
            self.assertEqual("*." + name.partition(".")[2], wildcard)
        # gRPC takes no wildcard right below a top-level name.
        self.assertGreaterEqual(wildcard.count("."), 2)

    def test_every_object_is_valid(self):
        objects = [o for overlay in OVERLAYS for o in render(KUBERNETES / overlay)]
        objects += [o for kustomization in MADE for o in build(kustomization)]
        objects += [tokens()]
        objects += [o for file in FILES for o in load(KUBERNETES / file)]
        self.assertGreaterEqual(len(objects), 10)
        for o, complaints in zip(objects, schema_problems(objects)):
            self.assertEqual(complaints, [], f"{o['kind']} {o['metadata']}")

    def test_local_is_two_servers_two_workers_and_an_evaluator(self):
        names = sorted(p.name for p in manifests.pods(render(KUBERNETES / "local")))
        self.assertEqual(names, ["conadv-evaluator-0", "conadv-server-0", "conadv-server-1",
                                 "conadv-worker-0", "conadv-worker-1"])

    def test_a_jobset_names_its_pods_as_jobset_does(self):
        hosts = sorted(p.host for p in manifests.pods(render(KUBERNETES / "jobset")))
        self.assertEqual(hosts, [f"conadv-{name}.conadv.default.svc" for name in (
            "evaluator-0-0", "server-0-0", "server-0-1", "worker-0-0", "worker-0-1")])

    def test_one_number_decides_how_many_shards_there_are(self):
        def job(path):
            return [{"target": {"kind": kind}, "patch": yaml.dump([{"op": "replace", "path": path, "value": 5}])}
                    for kind in ("JobSet", "ClusterTrainingRuntime")]

        replicas = {"replicas": [{"name": "conadv-server", "count": 5}], "transformers": ["../base/shards"]}
        cases = {
            "local": replicas,
            "jobset": {"patches": job("/spec/replicatedJobs/0/template/spec/parallelism")[:1],
                       "transformers": ["../jobset/base/shards"]},
            "trainer": {"patches": job("/spec/template/spec/replicatedJobs/0/template/spec/parallelism")[1:],
                        "transformers": ["../trainer/base/shards"]},
        }
        for overlay, own in cases.items():
            with self.subTest(overlay=overlay):
                objects = build({"resources": [f"../{overlay}"], **own})
                self.assertEqual(problems(objects, entrypoints()), [])
                pods = manifests.pods(objects)
                self.assertEqual(sum(p.image == "conadv-server" for p in pods), 5)
                self.assertEqual({p.environment["CONADV_SHARDS"] for p in pods}, {"5"})

    def test_a_changed_job_makes_new_pods(self):
        for overlay in ("local", "jobset"):
            objects = render(KUBERNETES / overlay)
            (name,) = [o["metadata"]["name"] for o in objects if o["kind"] == "ConfigMap"]
            self.assertRegex(name, r"^conadv-job-[0-9a-z]{10}$")
            mounted = {m.name for p in manifests.pods(objects) for m in p.mounts.values() if m.kind == "configMap"}
            self.assertEqual(mounted, {name})

    def test_the_trainer_runs_the_jobsets_pods(self):
        jobset = manifests.pods(render(KUBERNETES / "jobset"))
        (runtime,) = render(KUBERNETES / "trainer")
        trained = manifests.pods([manifests.jobset_of(runtime, "conadv", nodes=2)])
        self.assertEqual([p.name for p in trained],
                         [p.name.replace("-worker-", "-node-") for p in jobset])
        for one, other in zip(jobset, trained):
            self.assertEqual([a.replace("-worker-", "-node-") for a in one.args], other.args)
            for what in ("image", "uid", "gid", "groups", "ports", "probes", "grace_seconds"):
                self.assertEqual(getattr(one, what), getattr(other, what), what)
            self.assertEqual(set(one.mounts), set(other.mounts))


class ImagesTest(unittest.TestCase):
    def test_the_images_run_their_programs(self):
        self.assertEqual(entrypoints(), {"server": ["/opt/conadv/bin/conadv-server"],
                                            "worker": ["/opt/conadv/bin/conadv-worker"]})

    def test_the_servers_image_has_no_libtorch(self):
        for suite in SUITES:
            for packages in ("build-server", "run-server"):
                listed = " ".join(packages_of(packages, suite))
                self.assertIn("libgrpc++", listed)
                self.assertNotIn("torch", listed)
            # Nor OpenCV, which would triple it.
            self.assertNotIn("opencv", " ".join(packages_of("run-server", suite)))

    def test_the_images_are_of_a_suite_that_the_installer_knows(self):
        text = manifests.DOCKERFILE.read_text()
        self.assertIn(re.search(r"^ARG SUITE=(\S+)$", text, re.M)[1], SUITES)
        self.assertEqual(set(re.findall(r"^FROM (\S+)", text, re.M)), {"${BASE}"})
        self.assertIn("\nARG BASE=debian:${SUITE}-slim\n", text)
        # A stage whose packages are of no known set would end with an error.
        for packages in re.findall(r"^RUN \S+/install\.sh (\S+)", text, re.M):
            for suite in SUITES:
                self.assertTrue(packages_of(packages, suite))

    def test_the_workers_image_has_the_jobs_data(self):
        (job,) = [o for o in render(KUBERNETES / "local") if o["kind"] == "ConfigMap"]
        self.assertIn("/usr/share/datasets/fashion-mnist", job["data"]["job.textproto"])
        for suite in SUITES:
            self.assertIn("dataset-fashion-mnist", packages_of("run-worker", suite))



def change(objects, kind, name, path, value):
    """A copy of `objects` with one value changed; None removes it. A path's numbers are places in lists, and its flags those of
    arguments."""
    objects = copy.deepcopy(objects)
    (node,) = [o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name]
    *parents, last = [int(p) if p.isdigit() else p for p in path.split("/")]
    for parent in parents:
        node = node[parent]
    if str(last).startswith("--"):
        (last,) = [i for i, arg in enumerate(node) if arg.partition("=")[0] == last]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return objects


class BrokenTest(unittest.TestCase):
    CONTAINER = "spec/template/spec/containers/0"
    SERVER = ("local", "StatefulSet", "conadv-server")
    WORKER = ("local", "Deployment", "conadv-worker")
    SERVICE = ("local", "Service", "conadv-server")
    JOBSET = ("jobset", "JobSet", "conadv")
    RUNTIME = ("trainer", "ClusterTrainingRuntime", "conadv")
    JOB = "spec/replicatedJobs/0/template/spec"
    SECURE = ("production", "StatefulSet", "conadv-server")
    SECURE_WORKER = ("production", "Deployment", "conadv-worker")
    POLICY = ("production", "NetworkPolicy", "conadv-server")
    BUDGET = ("production", "PodDisruptionBudget", "conadv-worker")

    DOES_NOT_FIT = [
        (SERVER, "spec/replicas", 3, "the servers' pods are"),
        (SERVER, "spec/serviceName", "other", "there is no Service other"),
        (SERVER, "spec/podManagementPolicy", None, "Parallel"),
        (SERVER, "spec/volumeClaimTemplates", [], "is no volume"),
        (SERVER, f"{CONTAINER}/args/--servers", "--servers=a:1", "--servers is a:1"),
        (SERVER, f"{CONTAINER}/args/--listen", "--listen=0.0.0.0:7001", "not the same"),
        (SERVER, f"{CONTAINER}/args/--job", "--job=/etc/conadv/other", "no ConfigMap is mounted"),
        (SERVER, f"{CONTAINER}/args/--checkpoint_dir", "--checkpoint_dir=/tmp/a", "no volume that lasts"),
        (SERVER, f"{CONTAINER}/args/--when_done", "--when_done=exit", "would be restarted"),
        (SERVER, f"{CONTAINER}/args/--insecure", "--threads=1", "either --insecure or TLS"),
        (SERVER, f"{CONTAINER}/args/--insecure", "--tls_ca=/etc/conadv/ca.crt", "some have TLS and some have not"),
        (SERVER, f"{CONTAINER}/livenessProbe", {"grpc": {"port": 1}}, "livenessProbe must be gRPC"),
        (SERVER, f"{CONTAINER}/readinessProbe/grpc/service", None, "readinessProbe asks for ''"),
        (SERVER, f"{CONTAINER}/env/1/value", "3", "the servers' pods are"),
        (SERVER, "spec/template/spec/terminationGracePeriodSeconds", 5, "too short a grace period"),
        (SERVICE, "spec/publishNotReadyAddresses", False, "headless"),
        (SERVICE, "spec/clusterIP", None, "headless"),
        (SERVICE, "spec/selector", {"a": "b"}, "does not select"),
        (WORKER, "spec/selector/matchLabels", {"a": "b"}, "selector does not match"),
        (WORKER, f"{CONTAINER}/securityContext/readOnlyRootFilesystem", False, "without root"),
        (WORKER, "spec/template/spec/automountServiceAccountToken", True, "a token for the cluster"),
        (WORKER, f"{CONTAINER}/resources/limits", {}, "memory limit"),
        (WORKER, f"{CONTAINER}/image", "conadv-other:latest", "no target for conadv-other"),
        (WORKER, f"{CONTAINER}/args/--when_done", "--when_done=exit", "would be restarted"),
        (JOBSET, f"{JOB}/parallelism", 3, "must run at once"),
        (JOBSET, f"{JOB}/podFailurePolicy/rules/0/onExitCodes/values", [1], "its podFailurePolicy is"),
        (JOBSET, f"{JOB}/podFailurePolicy/rules/2/action", "Count", "its podFailurePolicy is"),
        (JOBSET, f"{JOB}/template/spec/restartPolicy", "OnFailure", "needs restartPolicy: Never"),
        (JOBSET, f"{JOB}/podReplacementPolicy", "TerminatingOrFailed", "one pod at a time"),
        (JOBSET, f"{JOB}/template/spec/containers/0/args/--evaluator_patience", "--when_done=wait", "never be complete"),
        (JOBSET, "spec/network/publishNotReadyAddresses", False, "names from the beginning"),
        (JOBSET, "spec/network/subdomain", "other", "the servers' pods are"),
        (RUNTIME, f"spec/template/{JOB}/parallelism", 3, "the servers' pods are"),
        (SERVICE, "spec/ports/1/port", 8081, "its ports and the Service's"),
        (SERVER, f"{CONTAINER}/ports/1/containerPort", 8081, "not the same"),
        (SECURE, f"{CONTAINER}/readinessProbe/httpGet/scheme", "HTTP", "must be HTTPS, /readyz"),
        (SECURE, f"{CONTAINER}/readinessProbe/httpGet/path", "/healthz", "must be HTTPS, /readyz"),
        (SECURE, f"{CONTAINER}/livenessProbe", {"grpc": {"port": 7000}}, "must be HTTPS, /healthz"),
        (SECURE, f"{CONTAINER}/args/--tokens", "--tokens=/etc/conadv-tokens/worker", "no Secret is mounted that has --tokens"),
        (SECURE, f"{CONTAINER}/args/--tokens", "--threads=2", "without a certificate or without tokens"),
        (SECURE, "spec/template/spec/volumes/1/secret/defaultMode", 0o644, "everybody in the pod can read"),
        (SECURE, "spec/template/spec/topologySpreadConstraints/0/labelSelector", {"matchLabels": {"a": "b"}}, "is spread among"),
        (SECURE_WORKER, f"{CONTAINER}/args/--token_file", "--token_file=/etc/conadv-tokens/server", "no Secret is mounted"),
        (SECURE_WORKER, f"{CONTAINER}/args/--tls_ca", "--threads=2", "some have TLS and some have not"),
        (POLICY, "spec/podSelector/matchLabels", {"a": "b"}, "selects no pods"),
        (POLICY, "spec/ingress/0/ports/0/port", "rpc", "there is no port rpc"),
        (POLICY, "spec/egress/0/ports/0/port", 7001, "there is no port 7001"),
        (BUDGET, "spec/selector/matchLabels", {"a": "b"}, "selects no pods"),
    ]
    IS_NO_OBJECT = [
        (SERVER, f"{CONTAINER}/arguments", [], "arguments: V1Container has no such field"),
        (SERVER, f"{CONTAINER}/args", "--servers=a:1", "must be a list"),
        (SERVER, "spec/replicas", "2", "must be a number"),
        (SERVER, "spec/podManagementPolicy", "Parallell", "podManagementPolicy"),
        (SERVER, "spec/selector", None, "selector"),
        (SERVER, f"{CONTAINER}/resources/limits/memory", "1GiB", "memory"),
        (SERVER, f"{CONTAINER}/livenessProbe/grpc", {"number": 7000}, "number: V1GRPCAction has no such field"),
        (SERVICE, "spec/ports/0/port", "grpc", "must be a number"),
        (WORKER, "spec/strategy", {"type": "Replace"}, "strategy"),
        (JOBSET, "spec/successPolicy/operator", "Most", "must be one of All|Any"),
        (JOBSET, "spec/failurePolicy/maxRestart", 3, "JobSetFailurePolicy has no such field"),
        (JOBSET, "spec/failurePolicy/rules/0/name", None, "name: is missing"),
        (JOBSET, "spec/replicatedJobs/0/replica", 1, "ReplicatedJob has no such field"),
        (JOBSET, f"{JOB}/backoffLimit", "20", "must be a number"),
        (JOBSET, f"{JOB}/podFailurePolicy/rules/0/action", "Fail", "action"),
        (JOBSET, f"{JOB}/template/spec/containers/0/image", 7, "must be a string"),
        (RUNTIME, "spec/mlPolicy/numNodes", "2", "must be a number"),
        (POLICY, "spec/ingress/0/from/0/podSelectors", {}, "V1NetworkPolicyPeer has no such field"),
        (BUDGET, "spec/maxUnavailable", [1], "must be a number or a string"),
        (RUNTIME, "spec/template/spec/volumeClaimPolicies/0/retentionPolicy/whenDeleted", "Keep", "Retain|Delete"),
        (RUNTIME, "apiVersion", "trainer.kubeflow.org/v2", "there is no ClusterTrainingRuntime"),
    ]

    def broken(self, cases):
        for (overlay, kind, name), path, value, complaint in cases:
            yield change(render(KUBERNETES / overlay), kind, name, path, value), (kind, name, path, value), complaint

    def test_what_does_not_fit_together_is_noticed(self):
        for objects, what, complaint in self.broken(self.DOES_NOT_FIT):
            with self.subTest(what=what):
                found = problems(objects, entrypoints())
                self.assertTrue(any(complaint in p for p in found), found)

    def test_what_is_no_kubernetes_object_is_noticed(self):
        cases = list(self.broken(self.IS_NO_OBJECT))
        objects = [next(o for o in objects if (o["kind"], o["metadata"]["name"]) == (kind, name))
                   for objects, (kind, name, _, _), _ in cases]
        for (_, what, complaint), found in zip(cases, schema_problems(objects)):
            with self.subTest(what=what):
                self.assertTrue(any(complaint in p for p in found), found)


if __name__ == "__main__":
    unittest.main()
