# SPDX-License-Identifier: Apache-2.0
"""Reads and takes part in training runs of conadv.

    import conadv

    with conadv.connect("127.0.0.1:7000") as run:
        print(run.status().version)
        weights = run.pull()                      # the newest version, from all shards
        print(weights["fc.weight"].mean())        # numpy; weights.torch() and .state_dict() are torch's

docs/python.md has the rest. Messages (status, metrics, the job) are protobuf's, and proto/conadv/v1 says what their fields
mean."""
from conadv.errors import (AccessError, CorruptError, Error, EvictedError, LineageOverError, NotYetError, RefusedError,
                           RunFailedError, UnavailableError)
from conadv.layout import (AUGMENTED, AUXILIARY, MAIN, NO_DECAY, SHARED, STATISTIC, WEIGHT, Layout, Placement, Stream,
                           Tensor)
from conadv.plan import Plan
from conadv.run import Run, connect
from conadv.watch import WentBack
from conadv.weights import Weights
from conadv.worker import Unit, Worker

__version__ = "0.1.0"

__all__ = ["AUGMENTED", "AUXILIARY", "AccessError", "CorruptError", "Error", "EvictedError", "Layout",
           "LineageOverError", "MAIN", "NO_DECAY", "NotYetError", "Placement", "Plan", "RefusedError", "Run",
           "RunFailedError", "SHARED", "STATISTIC", "Stream", "Tensor", "UnavailableError", "Unit", "WEIGHT", "Weights",
           "WentBack", "Worker", "connect"]
