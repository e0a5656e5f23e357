#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The wire beside PyTorch's: RPC (TensorPipe) over TCP, and gloo's all-reduce between two processes.

    tests/bench/wire/peers.py build/bin [--rounds=7] [--mib=256]

Prints rows, see tests/bench/table/row.h; none where PyTorch is not installed for this Python.
"""
import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "table"))
import row  # noqa: E402

try:
    import torch
    import torch.distributed as dist
    from torch.distributed import rpc
except ImportError:
    torch = None

HELD = None  # what the other process gives


def hold(elements):
    global HELD
    HELD = torch.full((elements,), 0.25)


def give():
    return HELD


def take(tensor):
    return tensor.numel()


def reduce():
    dist.all_reduce(HELD)
    HELD.fill_(0.25)


def peer(rank, port, elements):
    """One of the two processes. The first does what its standard input says, and prints the seconds that it took."""
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), GLOO_SOCKET_IFNAME="lo", TP_SOCKET_IFNAME="lo")
    store = dist.TCPStore("127.0.0.1", port, 2, rank == 0)
    dist.init_process_group("gloo", store=dist.PrefixStore("gloo", store), rank=rank, world_size=2)
    options = rpc.TensorPipeRpcBackendOptions(_transports=["uv"], _channels=["basic"], rpc_timeout=60,
                                              init_method=f"tcp://127.0.0.1:{free_port_of(store, rank)}")
    rpc.init_rpc(f"peer{rank}", rank=rank, world_size=2, rpc_backend_options=options)
    hold(elements)
    if rank == 0:
        rpc.rpc_sync("peer1", hold, (elements,))
        for line in sys.stdin:
            begin = time.monotonic()
            if line.strip() == "pull":
                rpc.rpc_sync("peer1", give)
            elif line.strip() == "push":
                rpc.rpc_sync("peer1", take, (HELD,))
            else:
                there = rpc.rpc_async("peer1", reduce)
                reduce()
                there.wait()
            print(time.monotonic() - begin, flush=True)
    rpc.shutdown()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_port_of(store, rank):
    if rank == 0:
        store.set("port", str(free_port()))
    return int(store.get("port"))


class Peers:
    def __init__(self, elements):
        port = free_port()
        command = [sys.executable, __file__, "-", f"--port={port}", f"--elements={elements}"]
        self.other = subprocess.Popen(command + ["--rank=1"], stdin=subprocess.DEVNULL)
        self.first = subprocess.Popen(command + ["--rank=0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def seconds(self, what):
        self.first.stdin.write(what + "\n")
        self.first.stdin.flush()
        return float(self.first.stdout.readline())

    def end(self):
        self.first.stdin.close()
        self.first.wait(60)
        self.other.wait(60)


def main():
    parser = argparse.ArgumentParser(description="the wire beside PyTorch's RPC and all-reduce")
    parser.add_argument("binaries")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--rank", type=int, default=-1, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--elements", type=int, help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if torch is None:
        print("no PyTorch for this Python: its rows are left out", file=sys.stderr)
        return
    if flags.rank >= 0:
        peer(flags.rank, flags.port, flags.elements)
        return
    size = flags.mib << 20
    peers = Peers(size // 4)

    def theirs(what):
        return lambda: size / peers.seconds(what) / 1e9

    def ours(what):
        command = [f"{flags.binaries}/bench_wire", f"--repeat={what}", "--rounds=3", f"--mib={flags.mib}"]
        return lambda: json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["ours"]

    pull, push, their_pull, their_push, reduced = row.interleave(
        flags.rounds, [ours("pull"), ours("push"), theirs("pull"), theirs("push"), theirs("reduce")])
    peers.end()
    for name, mine, other in (("pull", pull, their_pull), ("push", push, their_push)):
        row.show(f"{name} over TCP loopback, {flags.mib} MiB", "GB/s", mine, other, reference="PyTorch RPC over TCP",
                 at_least=1.5)
        row.show(f"{name} over TCP loopback, {flags.mib} MiB", "GB/s", mine, reduced,
                 reference="gloo all-reduce of 2", at_least=1.5)


if __name__ == "__main__":
    main()
