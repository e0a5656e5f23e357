# SPDX-License-Identifier: Apache-2.0
"""What selects pods selects some, and names ports that they have. Pure: objects in, complaints out."""
from manifests import container_of


def matches(selector, labels):
    """A LabelSelector, of which the manifests use In and Exists."""
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    for term in selector.get("matchExpressions", []):
        if term["operator"] not in ("In", "Exists"):
            raise ValueError(f"this reader does not know {term['operator']}")
        if term["key"] not in labels or (term["operator"] == "In" and labels[term["key"]] not in term["values"]):
            return False
    return True


def problems(objects, workloads):
    def selected(selector):
        return [w for w in workloads if matches(selector, w.template["metadata"]["labels"])]

    def ports(found):
        return {value for w in found for p in container_of(w).get("ports", []) for value in (p["name"], p["containerPort"])}

    for o in objects:
        name, kind, spec = o["metadata"]["name"], o["kind"], o.get("spec", {})
        if kind in ("PodDisruptionBudget", "PodMonitor"):
            found = selected(spec["selector"])
            if not found:
                yield f"{kind} {name} selects no pods"
            for endpoint in spec.get("podMetricsEndpoints", []):
                if endpoint["port"] not in ports(found):
                    yield f"{kind} {name}: its pods have no port {endpoint['port']}"
        elif kind == "NetworkPolicy":
            yield from (f"{kind} {name}: {p}" for p in _policy(spec, selected, ports))
    for w in workloads:
        for constraint in w.template["spec"].get("topologySpreadConstraints", []):
            if w not in selected(constraint["labelSelector"]):
                yield f"{w.name}: is spread among other pods than its own"


def _policy(spec, selected, ports):
    own = selected(spec["podSelector"])
    if not own:
        yield "selects no pods"
    for rule in spec.get("ingress", []):
        yield from _unknown_ports(rule, ports(own))
    for rule in spec.get("egress", []):
        # Of peers in this namespace; those elsewhere are not ours.
        peers = [w for peer in rule["to"] if "namespaceSelector" not in peer for w in selected(peer["podSelector"])]
        if peers:
            yield from _unknown_ports(rule, ports(peers))


def _unknown_ports(rule, known):
    for port in rule.get("ports", []):
        if port["port"] not in known:
            yield f"there is no port {port['port']}"
