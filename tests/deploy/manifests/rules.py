# SPDX-License-Identifier: Apache-2.0
"""What must agree between manifests, images and flags. Pure: objects and texts in, complaints out."""
import re

import selectors_match
from manifests import NAME, container_of, pod_of, pods, sources_of, workloads

# What docs/exit_codes.md says of them.
NEVER, STOPPED = 42, 143
# What a server calls its readiness in gRPC's health service.
READY = "conadv.v1.ParameterServer"


def flags_of(args):
    """--name=value → {name: value}; a bare --name is "true"."""
    flags = {}
    for arg in args:
        name, _, value = arg.removeprefix("--").partition("=")
        flags[name] = value or "true"
    return flags


def expand(addresses):
    """As the programs do: {N} stands for 0 to N - 1."""
    found = re.fullmatch(r"(.*)\{(\d+)\}(.*)", addresses)
    return [f"{found[1]}{i}{found[3]}" for i in range(int(found[2]))] if found else [addresses]


def is_server(workload):
    return image_of(workload) == "conadv-server"


def image_of(workload):
    """Without its registry and its tag."""
    return container_of(workload)["image"].rpartition("/")[2].partition(":")[0]


def is_secure(workload):
    return any(arg.startswith("--tls_ca=") for arg in container_of(workload)["args"])


def problems(objects, entrypoints):
    found = []
    every = workloads(objects)
    servers = [f"{p.host}:{p.ports['grpc']}" for p in pods(objects) if is_server(p.workload)]
    for workload in every:
        checks = [_labels(workload), _servers(workload, servers), _volumes(workload, objects), _security(workload),
                  _ends(workload), _kinds[workload.kind](workload)]
        if is_server(workload):
            checks += [_server(workload), _probes(workload)]
            checks.append(_service(workload, objects) if workload.kind == "StatefulSet" else _network(objects))
        if image_of(workload).removeprefix("conadv-") not in entrypoints:
            checks.append([f"the Dockerfile has no target for {container_of(workload)['image']}"])
        found += [f"{workload.name}: {p}" for check in checks for p in check]
    if len({is_secure(w) for w in every}) != 1:
        found.append("some have TLS and some have not")
    return found + list(selectors_match.problems(objects, every))


def _labels(workload):
    labels = workload.template["metadata"]["labels"]
    if workload.kind != "Job" and not workload.spec["selector"]["matchLabels"].items() <= labels.items():
        yield "its selector does not match its pods"
    if NAME not in labels:
        yield f"its pods have no label {NAME}"


def _servers(workload, servers):
    pod = pod_of(workload, 0)
    told = expand(flags_of(pod.args).get("servers", ""))
    if told != servers:
        yield f"--servers is {','.join(told)}, the servers' pods are {','.join(servers)}"


def _volumes(workload, objects):
    container, sources = container_of(workload), sources_of(workload)
    maps = {o["metadata"]["name"]: o["data"] for o in objects if o["kind"] == "ConfigMap"}
    mounts = {m["mountPath"]: m for m in container.get("volumeMounts", [])}
    for path, mount in mounts.items():
        if mount["name"] not in sources:
            yield f"{path} mounts {mount['name']}, which is no volume"
            return
    flags = flags_of(container["args"])

    def source_of(path):
        folder, _, file = path.rpartition("/")
        return (sources[mounts[folder]["name"]] if folder in mounts else None), file

    if job := flags.get("job"):
        source, file = source_of(job)
        # A runtime's job is in the namespace of whoever uses it.
        held = maps.get(source.name, {} if maps else {file: ""}) if source and source.kind == "configMap" else {}
        if file not in held:
            yield f"no ConfigMap is mounted that has --job={job}"
    for flag in ("tls_ca", "tls_cert", "tls_key", "tokens", "token_file"):
        if path := flags.get(flag):
            source, file = source_of(path)
            if not source or source.kind != "secret" or (source.keys and file not in source.keys):
                yield f"no Secret is mounted that has --{flag}={path}"
            elif source.mode & 0o007:
                yield f"everybody in the pod can read --{flag}={path}"
    for flag in ("checkpoint_dir", "export"):
        if (path := flags.get(flag)) and not any(
                path.startswith(f"{folder}/") and sources[m["name"]].kind in ("claim", "shared")
                and not m.get("readOnly") for folder, m in mounts.items()):
            yield f"--{flag}={path} lies on no volume that lasts"


def _security(workload):
    """The restricted Pod Security Standard, and what it leaves open."""
    pod, container = workload.template["spec"], container_of(workload)
    own, shared = container.get("securityContext", {}), pod.get("securityContext", {})
    if not shared.get("runAsNonRoot") or not own.get("readOnlyRootFilesystem") \
            or own.get("allowPrivilegeEscalation") is not False or own.get("capabilities") != {"drop": ["ALL"]} \
            or shared.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "must run without root, privileges and a writable root"
    if pod.get("automountServiceAccountToken") is not False:
        yield "has a token for the cluster, which it does not need"
    if "memory" not in container.get("resources", {}).get("limits", {}):
        yield "has no memory limit"
    if not {"cpu", "memory"} <= container.get("resources", {}).get("requests", {}).keys():
        yield "does not say what it needs"
    # A server writes a checkpoint when it is told to end, and a worker finishes the unit in hand.
    if pod.get("terminationGracePeriodSeconds", 0) < (60 if is_server(workload) else 30):
        yield "has too short a grace period"


def _ends(workload):
    waits = flags_of(container_of(workload)["args"]).get("when_done") == "wait"
    if workload.kind == "Job" and waits:
        yield "would never be complete: no --when_done=wait"
    if workload.kind != "Job" and not waits:
        yield "would be restarted when the job is done: --when_done=wait"


def _stateful_set(workload):
    if workload.spec.get("podManagementPolicy") != "Parallel":
        yield "its pods wait for each other to be ready: podManagementPolicy: Parallel"


def _deployment(_):
    return []


def _job(workload):
    """Exit codes mean what docs/exit_codes.md says."""
    if workload.template["spec"].get("restartPolicy") != "Never":
        yield "a podFailurePolicy needs restartPolicy: Never"
    rules = workload.spec.get("podFailurePolicy", {}).get("rules", [])
    first = {}
    for rule in rules:
        if codes := rule.get("onExitCodes"):
            for code in codes["values"] if codes["operator"] == "In" else []:
                first.setdefault(code, rule["action"])
        for condition in rule.get("onPodConditions", []):
            first.setdefault(condition["type"], rule["action"])
    if first != {NEVER: "FailJob", STOPPED: "Ignore", "DisruptionTarget": "Ignore"}:
        yield f"its podFailurePolicy is {first}"
    elif rules[0]["action"] != "FailJob":
        yield "its podFailurePolicy lets a hopeless pod go on if it is also disrupted"
    if workload.spec.get("completionMode") != "Indexed" or workload.spec.get("podReplacementPolicy") != "Failed":
        yield "its pods need names, each of one pod at a time: completionMode: Indexed, podReplacementPolicy: Failed"
    if workload.spec["completions"] != workload.spec["parallelism"]:
        yield "all of its pods must run at once"


_kinds = {"StatefulSet": _stateful_set, "Deployment": _deployment, "Job": _job}


def _server(workload):
    pod = pod_of(workload, 0)
    flags = flags_of(pod.args)
    listens = {name: flags.get(flag, "").rpartition(":")[2] for name, flag in
               (("grpc", "listen"), ("http", "http_listen")) if flags.get(flag)}
    if listens != {name: str(port) for name, port in pod.ports.items()}:
        yield "--listen, --http_listen and the container's ports are not the same"
    secure = is_secure(workload)
    if secure == (flags.get("insecure") == "true"):
        yield "listens off the loopback: either --insecure or TLS"
    if secure and not {"tls_cert", "tls_key", "tokens", "token_file"} <= flags.keys():
        yield "has TLS without a certificate or without tokens"


def _probes(workload):
    pod = pod_of(workload, 0)
    if workload.kind == "Job":
        # Nobody is routed to it, and what hangs is noticed by the coordinator.
        return
    for name in ("startupProbe", "readinessProbe", "livenessProbe"):
        probe = pod.probes.get(name)
        if is_secure(workload):
            # The kubelet's gRPC probes speak no TLS.
            path = "/readyz" if name == "readinessProbe" else "/healthz"
            if not probe or (probe.port, probe.path, probe.scheme) != (pod.ports.get("http"), path, "HTTPS"):
                yield f"its {name} must be HTTPS, {path} on its HTTP port"
        elif not probe or probe.path or probe.port != pod.ports["grpc"]:
            yield f"its {name} must be gRPC on its port"
        elif probe.service != (READY if name == "readinessProbe" else ""):
            yield f"its {name} asks for '{probe.service}'"


def _service(workload, objects):
    (service,) = [o for o in objects if o["kind"] == "Service" and o["metadata"]["name"] == workload.subdomain] or [None]
    if service is None:
        yield f"there is no Service {workload.subdomain}"
        return
    if service["spec"].get("clusterIP") != "None" or not service["spec"].get("publishNotReadyAddresses"):
        yield "its Service must be headless and publish addresses that are not ready"
    if not service["spec"]["selector"].items() <= workload.template["metadata"]["labels"].items():
        yield "its Service does not select its pods"
    ports = pod_of(workload, 0).ports
    published = {p["name"]: (p["port"], p["targetPort"]) for p in service["spec"]["ports"]}
    if published != {name: (number, name) for name, number in ports.items()}:
        yield "its ports and the Service's are not the same"


def _network(objects):
    for o in objects:
        network = (o["spec"]["template"]["spec"] if o["kind"] == "ClusterTrainingRuntime" else o.get("spec", {})).get(
            "network", {})
        if o["kind"] in ("JobSet", "ClusterTrainingRuntime") and not (
                network.get("enableDNSHostnames") and network.get("publishNotReadyAddresses")):
            yield "its pods need names from the beginning: enableDNSHostnames, publishNotReadyAddresses"
