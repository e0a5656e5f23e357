# SPDX-License-Identifier: Apache-2.0
"""Reads deploy/kubernetes and the Dockerfile, and says what a cluster would start.

Knows as much of kustomize as the base uses, and refuses the rest. Holds nothing.
"""
import dataclasses
import json
import pathlib
import re

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASE = ROOT / "deploy/kubernetes/base"
DOCKERFILE = ROOT / "deploy/docker/Dockerfile"
NAME = "app.kubernetes.io/name"


def render(folder):
    """The objects of a kustomization, in order. Labels and name suffixes, which change no behaviour, are left out."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    unknown = set(kustomization) - {"apiVersion", "kind", "labels", "resources", "configMapGenerator"}
    if unknown:
        raise ValueError(f"{folder}: this reader does not know {sorted(unknown)}")
    objects = []
    for resource in kustomization.get("resources", []):
        path = folder / resource
        if path.is_dir():
            objects += render(path.resolve())
        else:
            objects += [o for o in yaml.safe_load_all(path.read_text()) if o]
    for generator in kustomization.get("configMapGenerator", []):
        files = [f.split("=", 1) if "=" in f else (pathlib.Path(f).name, f) for f in generator["files"]]
        objects.append({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]},
            "data": {key: (folder / file).read_text() for key, file in files}})
    return objects


def entrypoints(dockerfile):
    """target → ENTRYPOINT, of the targets that have one."""
    found = {}
    for line in dockerfile.splitlines():
        if stage := re.match(r"FROM \S+ AS (\S+)", line):
            target = stage[1]
        elif entrypoint := re.match(r"ENTRYPOINT (\[.*\])", line):
            found[target] = json.loads(entrypoint[1])
    return found


@dataclasses.dataclass
class Pod:
    """One pod as a node would start it; its one container."""
    name: str
    hostname: str
    subdomain: str  # the headless service that gives it a name; else empty
    image: str
    args: list
    environment: dict
    volumes: dict  # mount path → ("configMap" | "claim" | "emptyDir", name, read-only)
    uid: int
    gid: int
    groups: list
    read_only_root: bool
    grpc_port: int  # of its probes; 0 without
    grace_seconds: int


def pods(objects):
    """Every pod of every workload, replicas counted out."""
    made = []
    for workload in workloads(objects):
        name, spec = workload["metadata"]["name"], workload["spec"]
        stateful = workload["kind"] == "StatefulSet"
        for i in range(spec["replicas"]):
            made.append(_pod(f"{name}-{i}", spec["serviceName"] if stateful else "", spec))
    return made


def workloads(objects):
    return [o for o in objects if o["kind"] in ("StatefulSet", "Deployment")]


def container_of(workload):
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    return container


def sources_of(workload):
    """volume name → (kind, name of its source)."""
    sources = {t["metadata"]["name"]: ("claim", t["metadata"]["name"])
               for t in workload["spec"].get("volumeClaimTemplates", [])}
    for volume in workload["spec"]["template"]["spec"].get("volumes", []):
        if "configMap" in volume:
            sources[volume["name"]] = ("configMap", volume["configMap"]["name"])
        elif "emptyDir" in volume:
            sources[volume["name"]] = ("emptyDir", volume["name"])
        else:
            raise ValueError(f"volume {volume['name']}: this reader knows configMap and emptyDir")
    return sources


def _pod(name, subdomain, spec):
    template = spec["template"]["spec"]
    (container,) = template["containers"]
    sources = sources_of({"spec": spec})
    security = {**template.get("securityContext", {}), **container.get("securityContext", {})}
    return Pod(
        name=name, hostname=name, subdomain=subdomain,
        image=container["image"].split(":")[0],
        args=container.get("args", []),
        environment={e["name"]: e["value"] for e in container.get("env", [])},
        volumes={m["mountPath"]: (*sources[m["name"]], m.get("readOnly", False))
                 for m in container.get("volumeMounts", [])},
        uid=security["runAsUser"], gid=security["runAsGroup"],
        groups=[security["fsGroup"]] if "fsGroup" in security else [],
        read_only_root=security.get("readOnlyRootFilesystem", False),
        grpc_port=container.get("readinessProbe", {}).get("grpc", {}).get("port", 0),
        grace_seconds=template.get("terminationGracePeriodSeconds", 30))
