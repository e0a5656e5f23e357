# SPDX-License-Identifier: Apache-2.0
"""One machine's stand-in for a node: starts pods as a container runtime would, with namespaces and nothing else.

A pod gets its own network (address on a bridge), host name, process ids (its program is process 1, so that a SIGTERM
without a handler does nothing) and root: the machine's /usr read-only, a minimal /etc, its volumes, and no more.
Must run inside `enter`, whose end takes every process, mount and interface away. Not thread-safe.
"""
import os
import pathlib
import shlex
import signal
import subprocess
import sys

import far_link
from cluster_dns import resolv_conf

BRIDGE = "10.77.0.1"
WORK = pathlib.Path("/run")  # a tmpfs of the node's own

_NAMESPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]

# As root, in the pod's namespaces: builds the root, then becomes the program.
_ENTRY = """set -eu
hostname {hostname}
root={root}
mount -t tmpfs -o mode=755 pod "$root"
cd "$root"
mkdir -p usr proc sys dev/shm etc tmp var/lib run opt/conadv
for link in bin sbin lib lib64; do ln -s usr/$link $link; done
mount --bind /usr usr; mount -o remount,bind,ro usr
mount -t proc proc proc
mount --bind /sys sys; mount -o remount,bind,ro sys
mount -t tmpfs -o mode=1777 shm dev/shm
for device in null zero random urandom; do touch dev/$device; mount --bind /dev/$device dev/$device; done
cp -a /etc/ld.so.cache /etc/nsswitch.conf /etc/passwd /etc/group /etc/alternatives etc/
cp {files}/* etc/
{mounts}
{read_only}
exec chroot . /usr/bin/setpriv --reuid={uid} --regid={gid} {groups} --no-new-privs --bounding-set=-all --inh-caps=-all \\
  /usr/bin/env -i {environment} {command}
"""


def reason_against():
    """Why pods cannot be started here; empty if they can."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    probe = subprocess.run([*_NAMESPACES, "sh", "-c", "mount -t tmpfs none /run && ip link add br0 type bridge"],
                           capture_output=True, text=True)
    return "" if probe.returncode == 0 else f"no namespaces or bridges here: {probe.stderr.strip()}"


def enter():
    """Runs this program again inside a node of its own, and exits with its status."""
    sys.exit(subprocess.run([*_NAMESPACES, sys.executable, "-B", *sys.argv],
                            env={**os.environ, "CONADV_TEST_NODE": "1"}).returncode)


def start_fresh():
    """What a new node has: an empty /run of its own."""
    _run("mount", "-t", "tmpfs", "none", WORK)
    (WORK / "netns").mkdir()


def inside():
    return os.environ.get("CONADV_TEST_NODE") == "1"


def _run(*command):
    subprocess.run([str(c) for c in command], check=True)


class Node:
    def __init__(self, binaries, stand_ins):
        """`binaries`: the folder that images have as /opt/conadv/bin. `stand_ins`: path in every pod → folder here."""
        self._binaries = pathlib.Path(binaries).resolve()
        self._stand_ins = stand_ins
        self._pods = 0
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "link", "add", "br0", "type", "bridge")
        _run("ip", "address", "add", f"{BRIDGE}/24", "dev", "br0")
        _run("ip", "link", "set", "br0", "up")

    def start(self, pod, entrypoint, config_maps, secrets=None):
        """Starts a manifests.Pod. `config_maps` and `secrets`: name → {file: text}. A pod that is started again finds its
        own claims and the shared ones as they were left, and has another address."""
        self._pods += 1
        address = f"10.77.0.{self._pods + 1}"
        folder = WORK / "pods" / f"{pod.name}.{self._pods}"
        network = pod.name if not (WORK / "netns" / pod.name).exists() else f"{pod.name}.{self._pods}"
        for part in ("root", "etc", "volumes"):
            (folder / part).mkdir(parents=True)
        self._network(network, address)
        names = [f"{address} {pod.name}"]
        if pod.subdomain:
            names = [f"{address} {pod.host}.cluster.local {pod.name}"]
        (folder / "etc/hosts").write_text("\n".join(["127.0.0.1 localhost", *names, ""]))
        (folder / "etc/resolv.conf").write_text(f"nameserver {BRIDGE}\n{resolv_conf(pod.namespace)}")
        (folder / "etc/hostname").write_text(f"{pod.name}\n")
        files = {"configMap": config_maps, "secret": secrets or {}}
        script = _ENTRY.format(
            hostname=pod.name, root=folder / "root", files=folder / "etc",
            mounts="\n".join(self._mounts(pod, folder, files)),
            read_only="mount -o remount,ro ." if pod.read_only_root else "",
            uid=pod.uid, gid=pod.gid,
            groups=f"--groups={','.join(map(str, pod.groups))}" if pod.groups else "--clear-groups",
            environment=shlex.join(f"{k}={v}" for k, v in {
                "PATH": "/opt/conadv/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME": pod.name,
                "KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443",
                **pod.environment}.items()),
            command=shlex.join([*entrypoint, *pod.args]))
        log = folder / "log"
        with open(log, "wb") as output:
            process = subprocess.Popen(
                ["ip", "netns", "exec", network, "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork",
                 "--kill-child", "/bin/sh", "-c", script],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        return Running(pod, address, process, log)

    def host(self, delay=0):
        """A machine of the cluster that is not Kubernetes': the address of a network of its own, by which `ip netns exec` knows
        it too. What goes there and what comes from there takes `delay` seconds each way."""
        self._pods += 1
        address = f"10.77.0.{self._pods + 1}"
        self._network(address, address, delay)
        return address

    def _network(self, name, address, delay=0):
        port = f"pod{self._pods}"
        _run("ip", "netns", "add", name)
        if delay:
            far_link.connect(port, f"far{self._pods}", delay)
            _run("ip", "link", "set", f"far{self._pods}", "name", "eth0", "netns", name)
        else:
            _run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
        _run("ip", "link", "set", port, "master", "br0", "up")
        _run("ip", "-n", name, "address", "add", f"{address}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            _run("ip", "-n", name, "link", "set", link, "up")

    def _mounts(self, pod, folder, files):
        yield from _bind(self._binaries, "/opt/conadv/bin", True)
        for path, source in self._stand_ins.items():
            yield from _bind(source, path, True)
        for path, mount in pod.mounts.items():
            if mount.kind in files:
                source = folder / "volumes" / mount.name
                source.mkdir()
                for file, text in files[mount.kind][mount.name].items():
                    if not mount.keys or file in mount.keys:
                        _place(source / file, text, mount.mode, pod)
            else:
                source = volume_of(pod, mount)
                source.mkdir(parents=True, exist_ok=True)
                os.chown(source, 0, pod.groups[0] if pod.groups else 0)
                source.chmod(0o2775 if pod.groups else 0o777)
            yield from _bind(source, path, mount.read_only)


def volume_of(pod, mount):
    """Where what a pod writes to a claim lies here."""
    owner = "shared" if mount.kind == "shared" else pod.name
    return WORK / "claims" / owner / mount.name


def _place(file, text, mode, pod):
    """As the kubelet does: root's, and its group is the pod's."""
    file.write_text(text)
    os.chown(file, 0, pod.groups[0] if pod.groups else 0)
    file.chmod(mode)


def _bind(source, path, read_only):
    inside = shlex.quote(path.lstrip("/"))
    # A path that lies in a read-only part of the image is there already.
    yield f"[ -d {inside} ] || mkdir -p {inside}"
    yield f"mount --bind {shlex.quote(str(source))} {inside}"
    if read_only:
        yield f"mount -o remount,bind,ro {inside}"


def _catches(pid, number):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


class Running:
    """A started pod. `log` is what it wrote to standard output and error."""

    def __init__(self, pod, address, process, log):
        self.pod, self.address, self.log = pod, address, log
        self._process = process

    def exit_code(self):
        """None while it runs."""
        return self._process.poll()

    def wait_for(self, seconds):
        """That long, or until it ends."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass

    def terminate(self):
        """SIGTERM to its process 1, as the kubelet's; the kernel drops it until that process has a handler."""
        children = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for child in children:
            while not _catches(child, signal.SIGTERM) and self.exit_code() is None:
                self.wait_for(0.1)
            os.kill(int(child), signal.SIGTERM)

    def wait(self):
        """Its exit code; None if it outlives its grace period."""
        try:
            return self._process.wait(self.pod.grace_seconds)
        except subprocess.TimeoutExpired:
            return None
