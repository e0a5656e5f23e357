# SPDX-License-Identifier: Apache-2.0
"""What must agree between manifests, images and flags. Pure: objects and texts in, complaints out."""
import re

from manifests import NAME, container_of, sources_of, workloads


def flags_of(args):
    """--name=value → {name: value}; a bare --name is "true"."""
    flags = {}
    for arg in args:
        name, _, value = arg.removeprefix("--").partition("=")
        flags[name] = value or "true"
    return flags


def problems(objects, entrypoints):
    found = []
    by_kind = {}
    for o in objects:
        by_kind.setdefault(o["kind"], {})[o["metadata"]["name"]] = o
    stateful = by_kind["StatefulSet"]
    for workload in workloads(objects):
        name = workload["metadata"]["name"]
        for check in (_labels, _servers, _volumes, _security, _ends):
            found += [f"{name}: {p}" for p in check(workload, by_kind)]
        image = container_of(workload)["image"].split(":")[0].removeprefix("conadv-")
        if image not in entrypoints:
            found.append(f"{name}: the Dockerfile has no target {image}")
    for name, workload in stateful.items():
        found += [f"{name}: {p}" for p in _server(workload, by_kind["Service"])]
    return found


def _labels(workload, _):
    labels = workload["spec"]["template"]["metadata"]["labels"]
    if not workload["spec"]["selector"]["matchLabels"].items() <= labels.items():
        yield "its selector does not match its pods"
    if NAME not in labels:
        yield f"its pods have no label {NAME}"


def _servers(workload, by_kind):
    (server,) = by_kind["StatefulSet"].values()
    spec, name = server["spec"], server["metadata"]["name"]
    service = by_kind["Service"].get(spec["serviceName"], {"spec": {"ports": [{"port": 0}]}})
    expected = f"{name}-{{0..{spec['replicas'] - 1}}}.{spec['serviceName']}:{service['spec']['ports'][0]['port']}"
    actual = flags_of(container_of(workload)["args"]).get("servers")
    if actual != expected:
        yield f"--servers is {actual}, the StatefulSet and its Service make it {expected}"


def _volumes(workload, by_kind):
    container, sources = container_of(workload), sources_of(workload)
    mounts = {m["mountPath"]: m for m in container.get("volumeMounts", [])}
    for path, mount in mounts.items():
        if mount["name"] not in sources:
            yield f"{path} mounts {mount['name']}, which is no volume"
    flags = flags_of(container["args"])
    if job := flags.get("job"):
        folder, _, file = job.rpartition("/")
        kind, source = sources.get(mounts.get(folder, {}).get("name"), ("", ""))
        if kind != "configMap" or file not in by_kind.get("ConfigMap", {}).get(source, {}).get("data", {}):
            yield f"no ConfigMap is mounted that has --job={job}"
    if checkpoints := flags.get("checkpoint_dir"):
        if not any(checkpoints.startswith(path + "/") and sources.get(m["name"], ("",))[0] == "claim"
                   and not m.get("readOnly") for path, m in mounts.items()):
            yield f"--checkpoint_dir={checkpoints} lies on no volume that lasts"


def _security(workload, _):
    pod = workload["spec"]["template"]["spec"]
    container = container_of(workload)
    own = container.get("securityContext", {})
    if not pod.get("securityContext", {}).get("runAsNonRoot") or not own.get("readOnlyRootFilesystem") \
            or own.get("allowPrivilegeEscalation") is not False or own.get("capabilities") != {"drop": ["ALL"]}:
        yield "must run without root, privileges and a writable root"
    if "memory" not in container.get("resources", {}).get("limits", {}):
        yield "has no memory limit"
    if "terminationGracePeriodSeconds" not in pod:
        yield "has no grace period of its own"


def _ends(workload, _):
    if flags_of(container_of(workload)["args"]).get("when_done") != "wait":
        yield "would be restarted when the job is done: --when_done=wait"


def _server(workload, services):
    spec, container = workload["spec"], container_of(workload)
    service = services.get(spec["serviceName"])
    if service is None:
        yield f"there is no Service {spec['serviceName']}"
        return
    if service["spec"].get("clusterIP") != "None" or not service["spec"].get("publishNotReadyAddresses"):
        yield "its Service must be headless and publish addresses that are not ready"
    if not service["spec"]["selector"].items() <= spec["template"]["metadata"]["labels"].items():
        yield "its Service does not select its pods"
    if spec.get("podManagementPolicy") != "Parallel":
        yield "its pods wait for each other to be ready: podManagementPolicy: Parallel"
    (port,) = container["ports"]
    flags = flags_of(container["args"])
    host, _, listen = flags.get("listen", "").rpartition(":")
    (published,) = service["spec"]["ports"]
    if listen != str(port["containerPort"]) or published["port"] != port["containerPort"] \
            or published["targetPort"] not in (port["name"], port["containerPort"]):
        yield "--listen, the container's port and the Service's are not the same"
    if not re.match(r"127\.|localhost|\[::1\]", host) and flags.get("insecure") != "true":
        yield "listens off the loopback without --insecure"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        if container.get(probe, {}).get("grpc", {}).get("port") != port["containerPort"]:
            yield f"its {probe} must be gRPC on its port"
