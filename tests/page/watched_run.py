# SPDX-License-Identifier: Apache-2.0
"""A real run with one server, whose HTTP port is on, and as many workers as a test starts. Ends with `close`."""
import importlib
import json
import pathlib
import signal
import subprocess
import sys
import urllib.parse
import urllib.request

import grpc

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from addresses import read_addresses  # noqa: E402

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
DATA = "/usr/share/datasets/fashion-mnist"
STEPS = 400
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
JOB = f"""
name: "page"
model {{ builtin: "convnet" }}
dataset {{ path: "{DATA}" mean: 0.2860 deviation: 0.3530 }}
training {{ algorithm: CONADV tau: 1 global_batch: 64 slots: 4 steps: {STEPS} mixture_batch_norm: false }}
attack {{ step: SIGN step_size: 0.03 epsilon: 0.03 cosine_every: 5 }}
optimizer {{ sgd {{ momentum: 0.9 }} }}
schedule {{ peak: 0.02 warmup: 0.1 cosine {{}} }}
evaluation {{ every: 20 limit: 128 attack_steps: 1 epsilon: 0.03 }}
# Who is stopped for a while stays a member, with its leases.
server {{ checkpoint_every: 10 lease_seconds: 600 unit_timeout_seconds: 3600 }}
"""


class WatchedRun:
    def __init__(self, binaries, directory, *flags):
        self._binaries = binaries
        self._root = pathlib.Path(directory)
        self._job = self._root / "job.textproto"
        self._job.write_text(JOB)
        self._flags = flags
        self._listen, self._http = "127.0.0.1:0", "127.0.0.1:0"
        self.server = None
        self.members = []
        self._logs = []
        self.start_server()
        subprocess.run(["protoc", f"-I{PROTO}", f"--python_out={self._root}", *map(str, sorted(PROTO.rglob("*.proto")))],
                       check=True)
        sys.path.insert(0, str(self._root))
        self.pb = importlib.import_module("conadv.v1.inspector_pb2")

    def start_server(self):
        """The first time on ports that are free, then on the same ones."""
        self.server = subprocess.Popen(
            [self._binaries / "conadv-server", f"--job={self._job}", f"--checkpoint_dir={self._root / 'checkpoints'}",
             f"--listen={self._listen}", f"--http_listen={self._http}", "--when_done=wait", "--evaluator_patience=60s",
             *self._flags],
            stdout=subprocess.PIPE, stderr=self._log("server"), text=True)
        self._listen, self.url = read_addresses(self.server, self._root / "server.log")
        self._http = urllib.parse.urlsplit(self.url).netloc

    def kill_server(self):
        self.server.kill()
        self.end(self.server)

    def start_member(self, name, role="worker"):
        member = subprocess.Popen(
            [self._binaries / "conadv-worker", f"--coordinator={self._listen}", f"--role={role}", f"--name={name}", "--threads=1"],
            stdout=subprocess.DEVNULL, stderr=self._log("members"))
        self.members.append(member)
        return member

    def pause(self):
        """Nothing that a server says of the course changes from here to `go_on`, but times."""
        for member in self.members:
            member.send_signal(signal.SIGSTOP)

    def go_on(self):
        for member in self.members:
            member.send_signal(signal.SIGCONT)

    def ask(self, name):
        """The answer of Inspector's method, as protobuf has it."""
        request, response = getattr(self.pb, f"{name}Request"), getattr(self.pb, f"{name}Response")
        with self._channel() as channel:
            call = channel.unary_unary(f"/conadv.v1.Inspector/{name}", request.SerializeToString, response.FromString)
            return call(request(), timeout=30, wait_for_ready=True)

    def records(self):
        """The metrics records that there are, which are not many yet."""
        with _OPENER.open(f"{self.url}api/v1/metrics?after=0", timeout=30) as answer:
            count = int(json.load(answer)["next"])
        with self._channel() as channel:
            call = channel.unary_stream("/conadv.v1.Inspector/WatchMetrics", self.pb.WatchMetricsRequest.SerializeToString,
                                        self.pb.MetricsRecord.FromString)
            stream = call(self.pb.WatchMetricsRequest(), timeout=30)
            records = [next(stream) for _ in range(count)]
            stream.cancel()
            return records

    def close(self):
        self.go_on()
        for process in [*self.members, self.server]:
            process.kill()
            self.end(process)
        for log in self._logs:
            log.close()

    @staticmethod
    def end(process):
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def _channel(self):
        return grpc.insecure_channel(self._listen, options=[("grpc.enable_http_proxy", 0)])

    def _log(self, name):
        log = open(self._root / f"{name}.log", "a")
        self._logs.append(log)
        return log
