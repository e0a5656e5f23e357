#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What lossless differences between versions would save: for whoever has version v and pulls v + 1.

    tests/bench/wire/differences.py WEIGHTS.safetensors WEIGHTS.safetensors ...

The files are successive versions, as checkpoints of every version have them. For float32 and bfloat16: the bytes that are
left, as a part of the whole version's, of the version itself and of its exclusive or with the one before, in planes of
the first, second, ... bytes, compressed by zlib at level 1; and how fast that goes on one core, in MB of weights a second.
"""
import json
import pathlib
import struct
import sys
import time
import zlib

import numpy


def weights(path):
    data = pathlib.Path(path).read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + length])
    parts = [data[8 + length + entry["data_offsets"][0]:8 + length + entry["data_offsets"][1]]
             for name, entry in sorted(header.items()) if name != "__metadata__" and entry["dtype"] == "F32"]
    return numpy.frombuffer(b"".join(parts), dtype="<u4")


def bfloat16(bits):
    return ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16).astype("<u2")


def planes(values):
    return values.view(numpy.uint8).reshape(-1, values.itemsize).T.tobytes()


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    files = [weights(path) for path in sys.argv[1:]]
    for name, convert in (("float32", lambda bits: bits), ("bfloat16", bfloat16)):
        whole, difference, seconds, size, unchanged = 0, 0, 0.0, 0, 0
        for before, after in zip(files, files[1:]):
            old, new = convert(before), convert(after)
            whole += len(zlib.compress(planes(new), 1))
            begin = time.perf_counter()
            difference += len(zlib.compress(planes(old ^ new), 1))
            seconds += time.perf_counter() - begin
            size += new.nbytes
            unchanged += int((old == new).sum())
        print(f"{name:9} itself {whole / size:.2f}, difference {difference / size:.2f} of its bytes; "
              f"{unchanged * new.itemsize / size:.1%} unchanged; {size / seconds / 1e6:.0f} MB/s compressed")


if __name__ == "__main__":
    main()
