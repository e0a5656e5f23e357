# SPDX-License-Identifier: Apache-2.0
"""A run as an outsider sees it: what it is, how far it is, its weights. Thread-safe."""
from __future__ import annotations

import threading
from typing import Any, Callable, ContextManager, Iterator, List, Mapping, Optional, Tuple, TypeVar, Union

from conadv import errors, watch
from conadv._wire import contribution
from conadv._wire.calls import Backoff, Deadline, Server, Servers
from conadv._wire.credentials import Credentials, Files
from conadv._wire.observer import observe
from conadv._wire.pull import ShardedPull, request_of
from conadv._wire.push import push
from conadv._wire.rounding import UnitKeys
from conadv.layout import Layout, Stream, streams_of
from conadv.v1.coordinator_pb2 import GetJobRequest, GetJobResponse
from conadv.v1.inspector_pb2 import (MetricsRecord, SnapshotsRequest, SnapshotsResponse, StalenessRequest,
                                     StalenessResponse, StatusRequest, StatusResponse, WorkersRequest, WorkersResponse)
from conadv.v1.job_pb2 import BF16, Job
from conadv.v1.parameter_server_pb2 import (BFLOAT16, FLOAT32, DescribeRequest, DescribeResponse, PushHeader,
                                            PushResponse)
from conadv.weights import Weights

_ANSWER = 5.0  # seconds that a busy server may take for a small answer
_INSPECTOR = "/conadv.v1.Inspector/"

Response = TypeVar("Response")
_TRANSIENT = (errors.UnavailableError, errors.NotYetError)


def connect(server: str, *, tls_ca: Optional[str] = None, tls_cert: Optional[str] = None, tls_key: Optional[str] = None,
            token_file: Optional[str] = None, timeout: float = 60.0) -> "Run":
    """Finds the run whose shard 0 is at `server`, "HOST:PORT". Waits for it up to `timeout` seconds, which is also how
    long later calls wait at most for servers that are away, unless they say otherwise.

    Files as the command line has them: `tls_ca`, PEM roots, turns TLS on; `tls_cert` and `tls_key` are this process's own;
    `token_file` has its bearer token. What is not given is taken from CONADV_TLS_CA, CONADV_TLS_CERT, CONADV_TLS_KEY and
    CONADV_TOKEN_FILE. All are read again when they change."""
    return Run(server, Credentials(Files.named(tls_ca, tls_cert, tls_key, token_file)), timeout)


class Run:
    """Made by connect(). Close it, or use it as a context manager."""

    def __init__(self, address: str, credentials: Credentials, timeout: float) -> None:
        self.address = address
        self.timeout = timeout
        self._servers = Servers(credentials)
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._known: Optional[Tuple[List[str], Layout, Tuple[Stream, ...]]] = None
        found = self._again(lambda left: self._get_job(True, left), timeout)
        self.job: Job = found.job
        """The job, every field with its default: job.training.tau."""

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Ends what other threads wait for, too."""
        self._closing.set()
        self._servers.close()

    def status(self) -> StatusResponse:
        """Phase, version, losses, throughput: every field is in proto/conadv/v1/inspector.proto."""
        return self._ask("Status", StatusRequest(), StatusResponse)

    def staleness(self) -> StalenessResponse:
        """Histograms of attack and update staleness, by worker; who made which version."""
        return self._ask("Staleness", StalenessRequest(), StalenessResponse)

    def workers(self) -> WorkersResponse:
        """Who takes part, and what each holds."""
        return self._ask("Workers", WorkersRequest(), WorkersResponse)

    def snapshots(self) -> SnapshotsResponse:
        """The versions that shard 0 keeps."""
        return self._ask("Snapshots", SnapshotsRequest(), SnapshotsResponse)

    def servers(self, timeout: Optional[float] = None) -> List[str]:
        """Every shard's address, in order. Waits until all have joined."""
        return list(self._again(lambda left: self._get_job(False, left), self._seconds(timeout)).servers)

    def layout(self, timeout: Optional[float] = None) -> Layout:
        """Where each tensor lies. Waits for a run that has not begun."""
        return self._again(self._parts, self._seconds(timeout))[1]

    def streams(self, timeout: Optional[float] = None) -> Tuple[Stream, ...]:
        """What each unit of work contributes one of."""
        return self._again(self._parts, self._seconds(timeout))[2]

    def pull(self, version: Optional[int] = None, *, lag: Optional[int] = None, at_least: Optional[int] = None,
             averaged: bool = False, bfloat16: bool = False, lineage: int = 0,
             timeout: Optional[float] = None) -> Weights:
        """The weights of `version`, of the newest minus `lag` or the oldest that is kept, of the newest once it is
        `at_least` that, or of the newest. A version that is yet to come is waited for.

        `averaged`: the average of that version, of a job with optimizer.average. `bfloat16`: half the bytes on the way; the
        arrays are float32 either way. `lineage`: refused with LineageOverError if the run has another one by now."""
        given = {"version": version, "lag": lag, "at_least": at_least}
        selector: Mapping[str, Any] = {name: value for name, value in given.items() if value is not None}
        if len(selector) > 1:
            raise ValueError(f"{' and '.join(selector)}: give one of them")
        request = request_of(selector or {"latest": True}, averaged, bfloat16, lineage)
        deadline = Deadline(self._seconds(timeout))

        def attempt(_: float) -> Weights:
            addresses, layout, _streams = self._parts(deadline.left())
            servers = [self._servers.at(shard, address) for shard, address in enumerate(addresses)]
            parts = ShardedPull(servers, request, layout.size_bytes, deadline).run()
            if parts[0].layout_hash != layout.hash or [part.arena.size for part in parts] != list(layout.arena_sizes):
                raise errors.UnavailableError(f"{servers[0].who}: it has another layout by now")
            return Weights(self.job.name, parts[0].version, parts[0].lineage, averaged, layout,
                           [part.arena for part in parts])

        return self._again(attempt, deadline.seconds, deadline)

    def versions(self, every: int = 1, first: int = 0, averaged: bool = False,
                 timeout: Optional[float] = None) -> Iterator[Weights]:
        """The weights of each version from `first` on whose number is a multiple of `every`, as they are published, and of
        the run's last one.

        Who is slower than training misses versions: those that are gone when they are asked for. After the run has gone
        back to a checkpoint the versions from there on come again, with another `lineage`. NotYetError if none comes for
        `timeout` seconds (default: for ever, as long as the servers are there)."""
        return watch.versions(self, every, first, averaged, timeout)

    def watch_metrics(self, after: int = 0) -> Iterator[Union[MetricsRecord, watch.WentBack]]:
        """A record for each update and each evaluation from the beginning, or from the `after`-th on, as they come, each
        once; ends with the run. A stream that is cut is taken up again.

        When the run has gone back to a checkpoint there is a WentBack: what came of later versions than its `version` is
        void, and comes again."""
        return watch.metrics(self, after)

    def watch_staleness(self, interval: float = 1.0) -> Iterator[StalenessResponse]:
        """What staleness() says, now and then every `interval` seconds, 0.05 to 3600; ends with the run."""
        return watch.staleness(self, interval)

    def observe(self) -> ContextManager[None]:
        """with run.observe(): the servers stay, after the run's last version, until the block ends. So the last version can
        be pulled, however fast the run ends. Takes a worker's role."""
        return observe(self._coordinator, self._closing)

    def push(self, step: int, slot: int, stream: Union[str, int], gradients: Mapping[str, Any], *, update_version: int,
             attack_version: Optional[int] = None, loss: float = 0.0, accuracy: float = 0.0, worker: str = "python",
             lineage: int = 0, timeout: Optional[float] = None) -> bool:
        """Contributes one stream of unit (step, slot). False: somebody has already.

        `gradients`: of each tensor of the stream the mean over the slot's examples, as numpy or torch has them; of a
        STATISTIC its batch statistic. `update_version`: of the weights that they were computed with. A Worker is what takes
        part in a run as a worker does; this is one call of it."""
        deadline = Deadline(self._seconds(timeout))
        addresses, layout, streams = self._again(self._parts, deadline.seconds, deadline)
        chosen = [s for s in streams if stream in (s.name, s.index)]
        if not chosen:
            raise errors.RefusedError(f"no stream {stream}; a unit has {', '.join(s.name for s in streams)}")
        short = self.job.wire.gradients == BF16
        keys = UnitKeys(self.job.seed, step, slot, chosen[0].index) if short else None
        parts = contribution.of_stream(layout, chosen[0], gradients, keys)
        header = PushHeader(layout_hash=layout.hash, worker=worker, lineage=lineage,
                            element_type=BFLOAT16 if short else FLOAT32)
        content = header.contribution
        content.step, content.slot, content.stream = step, slot, chosen[0].index
        content.update_version = update_version
        content.attack_version = update_version if attack_version is None else attack_version
        content.loss, content.accuracy = loss, accuracy
        answers = [push(self._servers.at(shard, address), header, begin, values, deadline, self._closing)
                   for shard, (address, (begin, values)) in enumerate(zip(addresses, parts))]
        return any(answer.outcome == PushResponse.ACCEPTED for answer in answers)

    # What follows is for this package.

    def _seconds(self, timeout: Optional[float]) -> float:
        return self.timeout if timeout is None else timeout

    def _coordinator(self) -> Server:
        return self._servers.at(0, self.address)

    def _ask(self, method: str, request: Any, response: "type[Response]") -> Response:
        return self._again(lambda left: self._coordinator().unary(_INSPECTOR + method, request, response,
                                                                  min(left, _ANSWER)), self.timeout)

    def _get_job(self, job_only: bool, left: float) -> GetJobResponse:
        return self._coordinator().unary("/conadv.v1.Coordinator/GetJob", GetJobRequest(job_only=job_only),
                                         GetJobResponse, min(left, _ANSWER))

    def describe(self, timeout: Optional[float] = None) -> DescribeResponse:
        """What shard 0 says of itself: the versions that it keeps, the run's last one."""
        return self._again(self._describe, self._seconds(timeout))

    def _describe(self, left: float) -> DescribeResponse:
        return self._coordinator().unary("/conadv.v1.ParameterServer/Describe", DescribeRequest(), DescribeResponse,
                                         min(left, _ANSWER))

    def _parts(self, left: float) -> Tuple[List[str], Layout, Tuple[Stream, ...]]:
        with self._lock:
            known = self._known
        if known is None:
            addresses = list(self._get_job(False, left).servers)
            described = self._describe(left)
            if not described.entries:
                raise errors.NotYetError(f"server-0 at {self.address}: there are no weights yet: training has not begun, "
                                         "or goes back to a checkpoint")
            known = addresses, Layout.of(described), streams_of(described)
            with self._lock:
                self._known = known
        return known

    def _again(self, attempt: Callable[[float], Response], seconds: float,
               deadline: Optional[Deadline] = None) -> Response:
        """Until it does, or the time is up. What was known of the servers is asked anew: they may have moved."""
        deadline = deadline or Deadline(seconds)
        backoff = Backoff(deadline, self._closing)
        while True:
            try:
                return attempt(deadline.left())
            except _TRANSIENT as error:
                if isinstance(error, errors.UnavailableError):
                    self._forget()
                if not backoff.wait():
                    if self._closing.is_set():
                        raise errors.UnavailableError("this run's object is closed") from None
                    raise type(error)(f"{error} (waited {seconds:g} s)") from None

    def _forget(self) -> None:
        with self._lock:
            self._known = None
        self._servers.forget()

    def _same_job(self) -> None:
        """RefusedError: what answers at the address now is another run."""
        if self._again(lambda left: self._get_job(True, left), self.timeout).job != self.job:
            raise errors.RefusedError(f"server-0 at {self.address}: it runs another job now; connect again")
