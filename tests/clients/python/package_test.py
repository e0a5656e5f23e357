#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The package is whole: it builds without a network, its types hold, its documentation runs: package_test.py BINARIES."""
import contextlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import conadv
from cluster import cluster, small_plan, train

BINARIES = None
ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILT = pathlib.Path(conadv.__file__).resolve().parents[1]


class Package(unittest.TestCase):
    def test_types_hold_strictly(self):
        done = subprocess.run(["mypy", f"--config-file={ROOT / 'clients/python/pyproject.toml'}",
                               f"--cache-dir={BUILT / '.mypy_cache'}", "-p", "conadv"], cwd=BUILT, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_pip_builds_what_the_build_leaves(self):
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            for part in ("clients/python", "proto"):
                shutil.copytree(ROOT / part, root / "tree" / part)
            before = sorted(map(str, (root / "tree").rglob("*")))
            done = subprocess.run(["/usr/bin/python3", "-m", "pip", "install", "--no-index", "--no-deps", "--no-build-isolation",
                                   "--no-compile", "--quiet", f"--target={root / 'site'}", root / "tree/clients/python"],
                                  capture_output=True, text=True, env=dict(os.environ, PIP_ROOT_USER_ACTION="ignore"))
            self.assertEqual(done.returncode, 0, done.stderr)
            files = lambda top: {path.relative_to(top): path.read_bytes() for path in (top / "conadv").rglob("*")
                                 if path.is_file() and "__pycache__" not in path.parts}
            self.assertEqual(files(root / "site"), files(BUILT))
            self.assertEqual(sorted(map(str, (root / "tree").rglob("*"))), before)  # it leaves nothing in the sources

    def test_what_the_documentation_says_runs(self):
        blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text(), re.DOTALL)
        readme = re.search(r"## From Python\n.*?```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
        self.assertIsNotNone(readme)
        *reading, work = blocks
        self.assertIn("conadv.Worker", work)
        with tempfile.TemporaryDirectory() as directory:
            out = io.StringIO()
            with contextlib.chdir(directory), contextlib.redirect_stdout(out):
                with cluster(BINARIES, flags=["--when_done=wait"]) as servers:
                    names = {}
                    with conadv.connect(servers.address, timeout=20) as run:
                        train(run, small_plan())
                    for block in [*reading, readme[1]]:
                        exec(block.replace("127.0.0.1:7000", servers.address), names)
                    names["run"].close()
                    self.assertEqual(pathlib.Path("weights.safetensors").read_bytes()[8:9], b"{")
                with cluster(BINARIES, flags=["--when_done=wait"]) as servers:
                    with conadv.connect(servers.address, timeout=20) as run:
                        exec(work, {"conadv": conadv, "run": run})
                        metrics = list(run.watch_metrics())
        self.assertIn("30 updates", out.getvalue())
        self.assertEqual(len(metrics), 30)
        self.assertLess(metrics[-1].step.clean_loss, 0.7 * metrics[0].step.clean_loss)


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
