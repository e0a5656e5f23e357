# SPDX-License-Identifier: Apache-2.0
"""Says what a cluster would start of a list of Kubernetes objects: workloads, and the pods of each. Holds nothing."""
import copy
import dataclasses
import json
import re

import kustomize

DOCKERFILE = kustomize.ROOT / "deploy/docker/Dockerfile"
NAME = "app.kubernetes.io/name"
JOBSET_LABEL = "jobset.sigs.k8s.io/jobset-name"
ANCESTOR_LABEL = "trainer.kubeflow.org/trainjob-ancestor-step"


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
class Workload:
    """Pods of one kind, whatever object of the cluster they are from."""
    name: str
    kind: str  # StatefulSet, Deployment or Job
    namespace: str
    replicas: int
    subdomain: str  # the headless service that names its pods; else empty
    template: dict  # of a pod
    spec: dict  # what the template lies in
    own_claims: list  # names of volumes that every pod has its own of
    shared_claims: list  # and of those that all have together
    labels: dict  # that the cluster adds to its pods


def workloads(objects):
    found = []
    for o in objects:
        namespace = o["metadata"].get("namespace", "default")
        if o["kind"] in ("StatefulSet", "Deployment"):
            spec = o["spec"]
            found.append(Workload(
                name=o["metadata"]["name"], kind=o["kind"], namespace=namespace, replicas=spec["replicas"],
                subdomain=spec.get("serviceName", ""), template=spec["template"], spec=spec,
                own_claims=[t["metadata"]["name"] for t in spec.get("volumeClaimTemplates", [])],
                shared_claims=[], labels={}))
        elif o["kind"] == "JobSet":
            found += _jobs(o, namespace)
        elif o["kind"] == "ClusterTrainingRuntime":
            found += _jobs(jobset_of(o, "train"), namespace)
    return found


def jobset_of(runtime, name, nodes=None):
    """What the Trainer makes of a TrainJob of that name, with that many nodes."""
    spec = copy.deepcopy(runtime["spec"]["template"]["spec"])
    nodes = nodes or runtime["spec"]["mlPolicy"]["numNodes"]
    for job in spec["replicatedJobs"]:
        if job["template"].get("metadata", {}).get("labels", {}).get(ANCESTOR_LABEL) == "trainer":
            job["template"]["spec"].update(parallelism=nodes, completions=nodes)
    return {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": {"name": name}, "spec": spec}


def _jobs(jobset, namespace):
    name, spec = jobset["metadata"]["name"], jobset["spec"]
    claims = [t["metadata"]["name"] for p in spec.get("volumeClaimPolicies", []) for t in p["templates"]]
    for job in spec["replicatedJobs"]:
        for index in range(job.get("replicas", 1)):
            own = job["template"]["spec"]
            yield Workload(
                name=f"{name}-{job['name']}-{index}", kind="Job", namespace=namespace, replicas=own["parallelism"],
                subdomain=spec["network"].get("subdomain", name), template=own["template"], spec=own,
                own_claims=[], shared_claims=claims, labels={JOBSET_LABEL: name})


@dataclasses.dataclass
class Probe:
    port: int
    path: str = ""  # of HTTP; gRPC has none
    scheme: str = ""
    service: str = ""  # of gRPC


@dataclasses.dataclass
class Mount:
    kind: str  # configMap, secret, claim (this pod's own), shared (a claim of several pods) or emptyDir
    name: str
    read_only: bool
    keys: list  # of a secret: those that are mounted; empty for all
    mode: int = 0o644


@dataclasses.dataclass
class Pod:
    """One pod as a node would start it; its one container."""
    name: str  # and its host name
    namespace: str
    subdomain: str  # the headless service that gives it a name; else empty
    workload: Workload
    image: str
    args: list  # with $(NAME) filled in
    environment: dict
    mounts: dict  # path → Mount
    uid: int
    gid: int
    groups: list
    read_only_root: bool
    ports: dict  # name → number
    probes: dict  # name, as in the manifest → Probe
    grace_seconds: int

    @property
    def host(self):
        """What its peers call it."""
        return f"{self.name}.{self.subdomain}.{self.namespace}.svc"


def container_of(workload):
    (container,) = workload.template["spec"]["containers"]
    return container


def pods(objects):
    """Every pod of every workload, replicas counted out."""
    return [pod_of(workload, i) for workload in workloads(objects) for i in range(workload.replicas)]


def pod_of(workload, index):
    template, container = workload.template["spec"], container_of(workload)
    security = {**template.get("securityContext", {}), **container.get("securityContext", {})}
    environment = _environment(container, workload)
    ports = {p["name"]: p["containerPort"] for p in container.get("ports", [])}
    return Pod(
        name=f"{workload.name}-{index}", namespace=workload.namespace, subdomain=workload.subdomain, workload=workload,
        image=container["image"].split(":")[0],
        args=[_expand(arg, environment) for arg in container.get("args", [])],
        environment=environment,
        mounts=_mounts(workload, container),
        uid=security["runAsUser"], gid=security["runAsGroup"],
        groups=[security["fsGroup"]] if "fsGroup" in security else [],
        read_only_root=security.get("readOnlyRootFilesystem", False),
        ports=ports,
        probes={name: _probe(container[name], ports) for name in ("startupProbe", "readinessProbe", "livenessProbe")
                if name in container},
        grace_seconds=template.get("terminationGracePeriodSeconds", 30))


def _environment(container, workload):
    values = {}
    for variable in container.get("env", []):
        if "value" in variable:
            values[variable["name"]] = variable["value"]
            continue
        path = variable["valueFrom"]["fieldRef"]["fieldPath"]
        if path == "metadata.namespace":
            values[variable["name"]] = workload.namespace
        elif label := re.fullmatch(r"metadata\.labels\['(.*)'\]", path):
            values[variable["name"]] = workload.labels[label[1]]
        else:
            raise ValueError(f"{workload.name}: this reader does not know {path}")
    return values


def _expand(text, environment):
    """As the kubelet does: an unknown name stays as it is."""
    return re.sub(r"\$\((\w+)\)", lambda m: environment.get(m[1], m[0]), text)


def _probe(probe, ports):
    if "grpc" in probe:
        return Probe(probe["grpc"]["port"], service=probe["grpc"].get("service", ""))
    http = probe["httpGet"]
    return Probe(ports.get(http["port"], http["port"]), http["path"], http.get("scheme", "HTTP"))


def sources_of(workload):
    """volume name → Mount, without whether it is read-only."""
    sources = {name: Mount("claim", name, False, []) for name in workload.own_claims}
    sources |= {name: Mount("shared", name, False, []) for name in workload.shared_claims}
    for volume in workload.template["spec"].get("volumes", []):
        name = volume["name"]
        if "configMap" in volume:
            sources[name] = Mount("configMap", volume["configMap"]["name"], True, [])
        elif "secret" in volume:
            secret = volume["secret"]
            sources[name] = Mount("secret", secret["secretName"], True, [i["key"] for i in secret.get("items", [])],
                                  secret.get("defaultMode", 0o644))
        elif "persistentVolumeClaim" in volume:
            sources[name] = Mount("shared", volume["persistentVolumeClaim"]["claimName"], False, [])
        elif "emptyDir" in volume:
            sources[name] = Mount("emptyDir", name, False, [])
        else:
            raise ValueError(f"{workload.name}: this reader does not know the volume {name}")
    return sources


def _mounts(workload, container):
    """Those of volumes that there are."""
    sources = sources_of(workload)
    mounts = {}
    for mount in container.get("volumeMounts", []):
        if source := sources.get(mount["name"]):
            mounts[mount["mountPath"]] = dataclasses.replace(
                source, read_only=source.read_only or mount.get("readOnly", False))
    return mounts
