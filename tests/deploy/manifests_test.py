#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The base fits together, and a base that does not is noticed."""
import copy
import json
import re
import shutil
import subprocess
import unittest

import manifests
import yaml
from packages import SUITES, packages_of
from rules import problems


def modern_kubectl():
    """kubectl with kustomize 5 or newer, or None."""
    if not shutil.which("kubectl"):
        return None
    version = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True)
    found = re.match(r"v?(\d+)", json.loads(version.stdout or "{}").get("kustomizeVersion", ""))
    return "kubectl" if found and int(found[1]) >= 5 else None


class BaseTest(unittest.TestCase):
    def setUp(self):
        self.objects = manifests.render(manifests.BASE)
        self.entrypoints = manifests.entrypoints(manifests.DOCKERFILE.read_text())

    def test_the_base_fits_together(self):
        self.assertEqual(problems(self.objects, self.entrypoints), [])

    def test_it_is_two_servers_two_workers_and_an_evaluator(self):
        names = sorted(p.name for p in manifests.pods(self.objects))
        self.assertEqual(names, ["conadv-evaluator-0", "conadv-server-0", "conadv-server-1",
                                 "conadv-worker-0", "conadv-worker-1"])

    def test_the_images_run_their_programs(self):
        self.assertEqual(self.entrypoints, {"server": ["/opt/conadv/bin/conadv-server"],
                                            "worker": ["/opt/conadv/bin/conadv-worker"]})

    def test_the_servers_image_has_no_libtorch(self):
        for suite in SUITES:
            for packages in ("build-server", "run-server"):
                listed = " ".join(packages_of(packages, suite))
                self.assertIn("libgrpc++", listed)
                self.assertNotIn("torch", listed)

    def test_the_images_are_of_a_suite_that_the_installer_knows(self):
        text = manifests.DOCKERFILE.read_text()
        self.assertIn(re.search(r"^ARG SUITE=(\S+)$", text, re.M)[1], SUITES)
        self.assertEqual(set(re.findall(r"^FROM (\S+)", text, re.M)), {"debian:${SUITE}-slim"})
        # A stage whose packages are of no known set would end with an error.
        for packages in re.findall(r"^RUN \S+/install\.sh (\S+)", text, re.M):
            for suite in SUITES:
                self.assertTrue(packages_of(packages, suite))

    def test_the_workers_image_has_the_jobs_data(self):
        (job,) = [o for o in self.objects if o["kind"] == "ConfigMap"]
        self.assertIn("/usr/share/datasets/fashion-mnist", job["data"]["job.textproto"])
        for suite in SUITES:
            self.assertIn("dataset-fashion-mnist", packages_of("run-worker", suite))

    def test_kustomize_renders_the_same(self):
        kubectl = modern_kubectl()
        if kubectl is None:
            self.skipTest("no kubectl with kustomize 5 or newer here")
        text = subprocess.run([kubectl, "kustomize", manifests.BASE], capture_output=True, text=True, check=True).stdout
        suffix = re.compile(r"(conadv-job)-[0-9a-z]{10}\b")
        self.assertRegex(text, suffix)
        theirs = list(yaml.safe_load_all(suffix.sub(r"\1", text)))
        for o in theirs:
            self.assertEqual(o["metadata"].pop("labels"), {"app.kubernetes.io/part-of": "conadv"})

        def key(o):
            return o["kind"], o["metadata"]["name"]

        self.assertEqual(sorted(theirs, key=key), sorted(self.objects, key=key))


def change(objects, kind, name, path, value):
    """A copy of `objects` with one value changed; None removes it. A path's numbers are places in lists."""
    objects = copy.deepcopy(objects)
    (node,) = [o for o in objects if o["kind"] == kind and o["metadata"]["name"] == name]
    *parents, last = [int(p) if p.isdigit() else p for p in path.split("/")]
    for parent in parents:
        node = node[parent]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return objects


class BrokenBaseTest(unittest.TestCase):
    CONTAINER = "spec/template/spec/containers/0"
    CASES = [
        ("StatefulSet", "conadv-server", "spec/replicas", 3, "--servers is"),
        ("StatefulSet", "conadv-server", "spec/serviceName", "other", "there is no Service other"),
        ("StatefulSet", "conadv-server", "spec/podManagementPolicy", None, "Parallel"),
        ("StatefulSet", "conadv-server", "spec/volumeClaimTemplates", [], "is no volume"),
        ("StatefulSet", "conadv-server", f"{CONTAINER}/args/0", "--servers=a:1", "--servers is a:1"),
        ("StatefulSet", "conadv-server", f"{CONTAINER}/args/1", "--listen=0.0.0.0:7001", "not the same"),
        ("StatefulSet", "conadv-server", f"{CONTAINER}/args/2", "--job=/etc/conadv/other", "no ConfigMap is mounted"),
        ("StatefulSet", "conadv-server", f"{CONTAINER}/args/3", "--checkpoint_dir=/tmp/a", "no volume that lasts"),
        ("StatefulSet", "conadv-server", f"{CONTAINER}/args/4", "--when_done=exit", "would be restarted"),
        ("StatefulSet", "conadv-server", f"{CONTAINER}/args/6", None, "without --insecure"),
        ("StatefulSet", "conadv-server", f"{CONTAINER}/livenessProbe", {"exec": {}}, "livenessProbe must be gRPC"),
        ("Service", "conadv-server", "spec/publishNotReadyAddresses", False, "headless"),
        ("Service", "conadv-server", "spec/clusterIP", None, "headless"),
        ("Service", "conadv-server", "spec/selector", {"a": "b"}, "does not select"),
        ("Deployment", "conadv-worker", "spec/selector/matchLabels", {"a": "b"}, "selector does not match"),
        ("Deployment", "conadv-worker", f"{CONTAINER}/securityContext/readOnlyRootFilesystem", False, "without root"),
        ("Deployment", "conadv-worker", f"{CONTAINER}/resources/limits", {}, "memory limit"),
        ("Deployment", "conadv-worker", f"{CONTAINER}/image", "conadv-other:latest", "no target other"),
        ("Deployment", "conadv-evaluator", f"{CONTAINER}/args/3", "--when_done=exit", "would be restarted"),
    ]

    def test_a_base_that_does_not_fit_together_is_noticed(self):
        objects = manifests.render(manifests.BASE)
        entrypoints = manifests.entrypoints(manifests.DOCKERFILE.read_text())
        for kind, name, path, value, complaint in self.CASES:
            with self.subTest(path=path, value=value):
                found = problems(change(objects, kind, name, path, value), entrypoints)
                self.assertTrue(any(complaint in p for p in found), found)


if __name__ == "__main__":
    unittest.main()
