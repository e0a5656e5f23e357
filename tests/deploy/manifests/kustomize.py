# SPDX-License-Identifier: Apache-2.0
"""What `kubectl kustomize` makes of a folder, and where kubectl is. Holds nothing but what it has found once."""
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
KUBERNETES = ROOT / "deploy/kubernetes"
# Made by fetch_tools.py.
TOOLS = pathlib.Path(os.environ.get("CONADV_DEPLOY_TOOLS", ROOT / "build/deploy-tools"))


def is_modern(kubectl):
    """Whether its kustomize is 5 or newer."""
    version = subprocess.run([kubectl, "version", "--client", "-o", "json"], capture_output=True, text=True)
    try:
        found = re.match(r"v?(\d+)", json.loads(version.stdout).get("kustomizeVersion", ""))
    except json.JSONDecodeError:
        return False
    return bool(found) and int(found[1]) >= 5


@functools.cache
def kubectl():
    for candidate in (TOOLS / "kubectl", shutil.which("kubectl")):
        if candidate and pathlib.Path(candidate).exists() and is_modern(candidate):
            return str(candidate)
    raise FileNotFoundError(f"no kubectl with kustomize 5 or newer on PATH or in {TOOLS}: run ctest -R deploy.tools")


@functools.cache
def _build(folder):
    built = subprocess.run([kubectl(), "kustomize", folder], capture_output=True, text=True)
    if built.returncode != 0:
        raise ValueError(f"{folder}: {built.stderr.strip()}")
    return built.stdout


def render(folder):
    """The objects that `kubectl apply -k` would send, in order."""
    return [o for o in yaml.safe_load_all(_build(str(folder))) if o]


def load(file):
    """The objects of one file."""
    return [o for o in yaml.safe_load_all(pathlib.Path(file).read_text()) if o]
