# SPDX-License-Identifier: Apache-2.0
"""crc32c (Castagnoli) of large arrays, with numpy alone. Pure functions.

The bytes are cut into equal columns whose remainders are computed side by side, a row of bytes at a time, and then put together:
a crc is linear over GF(2), so that of a ‖ b is that of a, moved on by len(b) zeros, xor that of b."""
from __future__ import annotations

from typing import Any, List

import numpy
import numpy.typing

_POLYNOMIAL = 0x82F63B78
_LEAST_FOR_COLUMNS = 1 << 14

UInt32s = numpy.typing.NDArray[numpy.uint32]


def _make_table() -> UInt32s:
    table = numpy.arange(256, dtype=numpy.uint32)
    for _ in range(8):
        table = numpy.where(table & 1, (table >> 1) ^ numpy.uint32(_POLYNOMIAL), table >> 1).astype(numpy.uint32)
    return table


_TABLE = _make_table()
_LIST: List[int] = [int(entry) for entry in _TABLE]


def _apply(matrix: UInt32s, values: UInt32s) -> UInt32s:
    """The product of a 32 x 32 matrix over GF(2), a column for each bit, with each value."""
    out = numpy.zeros_like(values)
    for bit in range(32):
        out ^= numpy.where(values >> numpy.uint32(bit) & numpy.uint32(1), matrix[bit], numpy.uint32(0))
    return out


def _zeros(count: int) -> UInt32s:
    """What so many zero bytes do to a remainder."""
    bits = numpy.uint32(1) << numpy.arange(32, dtype=numpy.uint32)
    power = _TABLE[bits & numpy.uint32(0xFF)] ^ (bits >> numpy.uint32(8))
    out = bits
    while count:
        if count & 1:
            out = _apply(power, out)
        power = _apply(power, power)
        count >>= 1
    return out


def _serial(remainder: int, data: bytes) -> int:
    for byte in data:
        remainder = _LIST[(remainder ^ byte) & 0xFF] ^ remainder >> 8
    return remainder


def extend(crc: int, data: Any) -> int:
    """The crc of what `crc` is of, and `data`, a buffer, after it. extend(0, b"") is 0."""
    octets = numpy.frombuffer(data, dtype=numpy.uint8)
    remainder = crc ^ 0xFFFFFFFF
    width = 0
    if octets.size >= _LEAST_FOR_COLUMNS:
        width = 1 << max(int(octets.size).bit_length() // 2 - 1, 6)
    if width:
        height = octets.size // width
        rows = numpy.ascontiguousarray(octets[:width * height].reshape(width, height).T)
        columns = numpy.zeros(width, dtype=numpy.uint32)
        columns[0] = remainder
        for row in rows:
            columns = _TABLE[(columns ^ row) & numpy.uint32(0xFF)] ^ (columns >> numpy.uint32(8))
        shift = _zeros(height)
        while columns.size > 1:
            columns = _apply(shift, columns[0::2]) ^ columns[1::2]
            shift = _apply(shift, shift)
        remainder = int(columns[0])
        octets = octets[width * height:]
    return _serial(remainder, octets.tobytes()) ^ 0xFFFFFFFF
