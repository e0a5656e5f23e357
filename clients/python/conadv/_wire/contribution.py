# SPDX-License-Identifier: Apache-2.0
"""From tensors by name to the part of each shard's arena that a push covers. Pure functions."""
from __future__ import annotations

from typing import Any, Callable, List, Mapping, Optional, Tuple

import numpy
import numpy.typing

from conadv import errors
from conadv._wire.rounding import UnitKeys, by_chance
from conadv.layout import SHARED, Layout, Placement, Stream

Array = numpy.typing.NDArray[numpy.float32]


def array_of(value: Any) -> Array:
    """A numpy array of what may be one of torch's tensors."""
    detach = getattr(value, "detach", None)
    if detach is not None:
        value = detach().cpu().numpy()
    return numpy.asarray(value, dtype=numpy.float32)


def _gather(layout: Layout, ranges: List[Tuple[int, int]], wanted: Callable[[Placement], bool],
            values: Mapping[str, Any], what: str,
            change: Callable[[int, Array], Array]) -> List[Tuple[int, Array]]:
    """By shard: where it begins, and the elements; padding is 0."""
    parts = [numpy.zeros(end - begin, dtype=numpy.float32) for begin, end in ranges]
    missing = dict(values)
    for place, placement in enumerate(layout.placements):
        if not wanted(placement):
            continue
        tensor = placement.tensor
        if tensor.name not in missing:
            raise errors.RefusedError(f"{what}: tensor {tensor.name} is missing")
        array = array_of(missing.pop(tensor.name))
        if array.shape != tensor.shape:
            raise errors.RefusedError(f"{what}: tensor {tensor.name} has shape {list(array.shape)}, expected "
                                      f"{list(tensor.shape)}")
        begin = placement.offset - ranges[placement.shard][0]
        parts[placement.shard][begin:begin + tensor.size] = change(place, array).reshape(-1)
    if missing:
        raise errors.RefusedError(f"{what}: no tensor of it is named {', '.join(sorted(missing))}")
    return [(begin, part) for (begin, _), part in zip(ranges, parts)]


def of_stream(layout: Layout, stream: Stream, gradients: Mapping[str, Any],
              keys: Optional[UnitKeys]) -> List[Tuple[int, Array]]:
    """All tensors of the stream's branch and the shared ones. With `keys` every value becomes a bfloat16."""
    ranges = [layout.branch_range(shard, stream.branch) for shard in range(layout.shards)]
    return _gather(layout, ranges, lambda p: p.tensor.branch in (SHARED, stream.branch), gradients,
                   f"stream {stream.name}",
                   lambda place, array: array if keys is None else by_chance(keys.of_tensor(place), array))


def of_initial(layout: Layout, values: Mapping[str, Any]) -> List[Tuple[int, Array]]:
    return _gather(layout, [(0, size) for size in layout.arena_sizes], lambda _: True, values, "initial weights",
                   lambda _, array: array)
