#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What manifests and images say to the programs is in the programs' own help: flags_test.py BINARIES"""
import functools
import json
import pathlib
import re
import subprocess
import sys
import unittest

import manifests
from kustomize import KUBERNETES, render
from manifests_test import OVERLAYS
from rules import flags_of

BINARIES = None


@functools.cache
def known_flags(*command):
    """Of a program, or of one of its commands."""
    program, *rest = command
    shown = subprocess.run([BINARIES / program, *rest, "--help"], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"--(\w+)", shown))


class FlagsTest(unittest.TestCase):
    def test_every_pods_flags_are_its_programs(self):
        entrypoints = manifests.entrypoints(manifests.DOCKERFILE.read_text())
        for overlay in OVERLAYS:
            for workload in manifests.workloads(render(KUBERNETES / overlay)):
                pod = manifests.pod_of(workload, 0)
                (program,) = entrypoints[pod.image.removeprefix("conadv-")]
                known = known_flags(pathlib.Path(program).name)
                self.assertGreater(len(known), 5)
                self.assertEqual(set(flags_of(pod.args)) - known, set(), f"{overlay}: {pod.name}")

    def test_the_images_health_check_is_a_command(self):
        (check,) = re.findall(r"^  CMD (\[.*\])", manifests.DOCKERFILE.read_text(), re.M)
        program, command, *args = json.loads(check)
        self.assertEqual(program, "/opt/conadv/bin/conadv")
        self.assertEqual(set(flags_of(args)) - known_flags("conadv", command), set())


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1))
    unittest.main()
