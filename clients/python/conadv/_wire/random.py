# SPDX-License-Identifier: Apache-2.0
"""Counter-based random numbers, and the keyed permutation of the data set, as conadv-worker draws them [I3]: whoever
computes a unit has the same examples. Pure functions.

Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011."""
from __future__ import annotations

from typing import List, Tuple

PURPOSE_PERMUTATION = 2
PURPOSE_ROUNDING = 7

_32 = 0xFFFFFFFF
_64 = 0xFFFFFFFFFFFFFFFF
_ROUNDS = 8  # of the Feistel network: halves of different widths change places and come back

Four = Tuple[int, int, int, int]


def _philox(counter: Four, key: Tuple[int, int]) -> Four:
    for _ in range(10):
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = (second >> 32 ^ counter[1] ^ key[0], second & _32, first >> 32 ^ counter[3] ^ key[1], first & _32)
        key = ((key[0] + 0x9E3779B9) & _32, (key[1] + 0xBB67AE85) & _32)
    return counter


class Random:
    """The stream of (seed, purpose, a, b)."""

    def __init__(self, seed: int, purpose: int, a: int = 0, b: int = 0) -> None:
        mixed = _philox((purpose, b, 0x636F6E61, 0x64760000), (seed & _32, seed >> 32 & _32))
        self._key = mixed[:2]
        self._a = (a & _32, a >> 32 & _32)
        self._blocks = 0
        self._left: List[int] = []

    def next32(self) -> int:
        if not self._left:
            self._left = list(reversed(_philox((self._blocks, self._a[0], self._a[1], 0), self._key)))
            self._blocks += 1
        return self._left.pop()

    def next64(self) -> int:
        high = self.next32()
        return high << 32 | self.next32()


def _mix(x: int) -> int:
    """Stafford's "Mix13" finalizer, as SplitMix64 uses it."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & _64
    x = (x ^ x >> 27) * 0x94D049BB133111EB & _64
    return x ^ x >> 31


class _Permutation:
    """A bijection of [0, n): a Feistel network with cycle walking (Black and Rogaway 2002)."""

    def __init__(self, seed: int, epoch: int, n: int) -> None:
        bits = (n - 1).bit_length() if n > 1 else 0
        self._n, self._low, self._high = n, (bits + 1) // 2, bits // 2
        random = Random(seed, PURPOSE_PERMUTATION, epoch)
        self._keys = [random.next64() for _ in range(_ROUNDS)]

    def of(self, value: int) -> int:
        while True:
            high_bits, low_bits = self._high, self._low
            high, low = value >> low_bits, value & (1 << low_bits) - 1
            for key in self._keys:
                high, low = low, high ^ _mix(low + key & _64) & (1 << high_bits) - 1
                high_bits, low_bits = low_bits, high_bits
            value = high << self._low | low
            if value < self._n:
                return value


def unit_examples(seed: int, n: int, slots: int, slot_size: int, step: int, slot: int) -> List[int]:
    """The examples of a unit: its part of the endless sequence of all epochs' permutations."""
    epoch, position = divmod((step * slots + slot) * slot_size, n)
    examples: List[int] = []
    while len(examples) < slot_size:
        permutation = _Permutation(seed, epoch, n)
        end = min(n, position + slot_size - len(examples))
        examples += [permutation.of(at) for at in range(position, end)]
        epoch, position = epoch + 1, 0
    return examples
