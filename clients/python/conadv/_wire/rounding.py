# SPDX-License-Identifier: Apache-2.0
"""bfloat16 on the wire, and the chance that gradients are rounded by: the same bits as conadv-worker's. Pure functions."""
from __future__ import annotations

from typing import Any

import numpy
import numpy.typing

from conadv._wire.random import PURPOSE_ROUNDING, Random

Floats = numpy.typing.NDArray[numpy.float32]
UInt16s = numpy.typing.NDArray[numpy.uint16]
_EXPONENT = numpy.uint32(0x7F800000)
_UPPER = numpy.uint32(0xFFFF0000)


def widen(halves: Any) -> Floats:
    """float32 of a buffer of bfloat16."""
    bits = numpy.frombuffer(halves, dtype="<u2").astype(numpy.uint32) << numpy.uint32(16)
    return bits.view(numpy.float32)


def upper_half(values: Floats) -> UInt16s:
    """bfloat16 of float32 values that are each exactly one."""
    return (numpy.ascontiguousarray(values).view(numpy.uint32) >> numpy.uint32(16)).astype("<u2")


def _mix(x: Any) -> Any:
    """MurmurHash3's finalizer (Appleby, public domain)."""
    x ^= x >> numpy.uint32(16)
    x *= numpy.uint32(0x85EBCA6B)
    x ^= x >> numpy.uint32(13)
    x *= numpy.uint32(0xC2B2AE35)
    return x ^ (x >> numpy.uint32(16))


def by_chance(key: int, values: Floats) -> Floats:
    """Each up or down to a bfloat16 in proportion to the distance, so that the mean is the value itself. What is not
    finite stays so."""
    bits = numpy.ascontiguousarray(values, dtype=numpy.float32).reshape(-1).view(numpy.uint32)
    low, high = numpy.uint32(key & 0xFFFFFFFF), numpy.uint32(key >> 32)
    places = numpy.arange(bits.size, dtype=numpy.uint64).astype(numpy.uint32)
    chance = _mix(_mix(places ^ low) ^ high) >> numpy.uint32(16)
    finite = (bits & _EXPONENT) != _EXPONENT
    rounded = numpy.where(finite, (bits + chance) & _UPPER, bits).astype(numpy.uint32)
    return rounded.view(numpy.float32).reshape(values.shape)


class UnitKeys:
    """The keys of one unit's stream, for its tensors in the model's order."""

    def __init__(self, seed: int, step: int, slot: int, stream: int) -> None:
        random = Random(seed, PURPOSE_ROUNDING, step, slot)
        for _ in range(stream):
            random.next64()
        self._first = random.next64()

    def of_tensor(self, place: int) -> int:
        return (self._first + (place + 1) * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
