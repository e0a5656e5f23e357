#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The installer's lists are those of the suite: install_test.py BINARIES, where the programs lie."""
import pathlib
import subprocess
import sys
import unittest

from packages import INSTALL, SUITES, installed, libraries_of, packages_of, with_dependencies

BINARIES = None
# `conadv train` reads data sets as workers do; the server's image has a conadv without it.
PROGRAMS = {"run-server": ("conadv-server",), "run-worker": ("conadv-worker", "conadv")}


def suite():
    """This machine's."""
    lines = pathlib.Path("/etc/os-release").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line).get("VERSION_CODENAME", "")


@unittest.skipUnless(suite() in SUITES, f"this is none of {', '.join(SUITES)}")
class InstalledTest(unittest.TestCase):
    def test_the_run_time_packages_have_the_libraries_that_the_programs_name(self):
        for packages, programs in PROGRAMS.items():
            provided = with_dependencies(packages_of(packages, suite()))
            for program in programs:
                owners = libraries_of(BINARIES / program)
                self.assertTrue(owners, program)
                for library, package in owners.items():
                    self.assertIn(package, provided, f"{program} needs {library}, which {packages} does not bring")

    def test_what_runs_the_programs_is_there_where_they_were_built(self):
        # A name that the suite only has for another package's sake would be installed at every call. LibTorch may be from elsewhere.
        for packages in PROGRAMS:
            wanted = {name for name in packages_of(packages, suite()) if not name.startswith("libtorch")}
            self.assertEqual(wanted - installed(wanted), set())


class ListTest(unittest.TestCase):
    def test_every_suite_has_every_set(self):
        for name in SUITES:
            for packages in ("build", "build-server", "build-worker", "test", "sanitize", "lint", "run-server", "run-worker"):
                self.assertTrue(packages_of(packages, name))

    def test_run_time_packages_of_an_unknown_suite_are_not_guessed(self):
        done = subprocess.run([INSTALL, "list", "run-worker", "sid"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        for word in ("sid", "bookworm", "libtorch"):
            self.assertIn(word, done.stderr)

    def test_what_builds_has_the_same_names_everywhere(self):
        for packages in ("build", "build-server", "build-worker", "test", "sanitize", "lint"):
            self.assertEqual(len({" ".join(packages_of(packages, name)) for name in (*SUITES, "sid")}), 1)


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1))
    unittest.main()
