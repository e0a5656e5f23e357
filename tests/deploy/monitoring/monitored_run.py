# SPDX-License-Identifier: Apache-2.0
"""A real run of two shards whose HTTP ports are on, two workers and an evaluator. Ends with `close`."""
import pathlib
import signal
import subprocess
import sys
import urllib.parse
import urllib.request

import grpc

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from addresses import read_addresses  # noqa: E402

DATA = "/usr/share/datasets/fashion-mnist"
PATIENCE = 120  # seconds, for a process to say something
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
JOB = f"""
name: "watched"
model {{ builtin: "convnet" }}
dataset {{ path: "{DATA}" mean: 0.2860 deviation: 0.3530 }}
training {{ algorithm: CONADV tau: 1 global_batch: 64 slots: 4 steps: 1000000 mixture_batch_norm: false }}
attack {{ step: SIGN step_size: 0.03 epsilon: 0.03 cosine_every: 10 }}
optimizer {{ sgd {{ momentum: 0.9 }} }}
schedule {{ peak: 0.001 cosine {{}} }}
evaluation {{ every: 20 limit: 64 attack_steps: 1 epsilon: 0.03 }}
server {{ checkpoint_every: 10 }}
"""


def fetch(url, **headers):
    """The body and its type, as a browser without a proxy would have them."""
    with _OPENER.open(urllib.request.Request(url, headers=headers), timeout=PATIENCE) as response:
        return response.read().decode(), response.headers["Content-Type"]


class MonitoredRun:
    SHARDS = 2

    def __init__(self, binaries, directory):
        self._binaries = pathlib.Path(binaries)
        self._root = pathlib.Path(directory)
        (self._root / "job.textproto").write_text(JOB)
        self._processes, self._logs = {}, []
        self._listen, self._http = {}, {}
        for shard in range(self.SHARDS):
            self.start_server(shard)
        for name, *more in (("worker-0",), ("worker-1",), ("evaluator", "--role=evaluator")):
            self._start(name, "conadv-worker", f"--coordinator={self._listen[0]}", f"--name={name}", "--threads=1", *more)

    def start_server(self, shard):
        """The first time on ports that are free, then on the same ones."""
        more = [f"--job={self._root / 'job.textproto'}"] if shard == 0 else [f"--coordinator={self._listen[0]}"]
        server = self._start(
            f"server-{shard}", "conadv-server", f"--shard={shard}", f"--shards={self.SHARDS}",
            f"--listen={self._listen.get(shard, '127.0.0.1:0')}", f"--http_listen={self._http.get(shard, '127.0.0.1:0')}",
            f"--checkpoint_dir={self._root / 'checkpoints'}", *more)
        self._listen[shard], url = read_addresses(server, self._root / f"server-{shard}.log")
        self._http[shard] = urllib.parse.urlsplit(url).netloc

    def targets(self):
        return [self._http[shard] for shard in range(self.SHARDS)]

    def health(self, shard, service):
        """What gRPC's health service says of a service: 1 is SERVING."""
        with grpc.insecure_channel(self._listen[shard]) as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")
            name = service.encode()
            return check(bytes([10, len(name)]) + name if name else b"", timeout=PATIENCE)[1]

    def ready(self, shard):
        try:
            return fetch(f"http://{self._http[shard]}/readyz")[0]
        except OSError:
            return None

    def kill_server(self, shard):
        server = self._processes.pop(f"server-{shard}")
        server.kill()
        server.wait()
        server.stdout.close()

    def metrics(self, shard, accept="text/plain"):
        """The text, or nothing while it is away or between two lineages."""
        try:
            return fetch(f"http://{self._http[shard]}/metrics", Accept=accept)[0]
        except OSError:
            return None

    def close(self):
        for process in self._processes.values():
            process.send_signal(signal.SIGKILL)
        for process in self._processes.values():
            process.wait()
            if process.stdout:
                process.stdout.close()
        for log in self._logs:
            log.close()

    def _start(self, name, program, *arguments):
        log = open(self._root / f"{name}.log", "ab")
        self._logs.append(log)
        self._processes[name] = subprocess.Popen([self._binaries / program, *arguments], stdout=subprocess.PIPE
                                                 if program == "conadv-server" else log, stderr=log, text=True)
        return self._processes[name]
