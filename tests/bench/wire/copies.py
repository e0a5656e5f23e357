#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many bytes are copied in memory for each byte that a pull or a push delivers, on both sides together.

    tests/bench/wire/copies.py build/bin [--mib=64]

What the kernel copies from and to a socket is not in it. Counted by a preloaded library (copy_counter.cc), as the
difference between a run of many transfers and one of few. Prints rows, see tests/bench/table/row.h.
"""
import argparse
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "table"))
import row  # noqa: E402

FEW, MANY = 2, 10


def copied(flags, what, transfers):
    with tempfile.NamedTemporaryFile() as counter:
        counter.write(bytes(8))
        counter.flush()
        library = pathlib.Path(flags.binaries).resolve().parent / "lib" / "libcopy_counter.so"
        subprocess.run([f"{flags.binaries}/bench_wire", f"--repeat={what}", f"--rounds={transfers}", f"--mib={flags.mib}"],
                       check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "LD_PRELOAD": str(library), "COPY_COUNTER": counter.name})
        counter.seek(0)
        return struct.unpack("<Q", counter.read(8))[0]


def main():
    parser = argparse.ArgumentParser(description="bytes copied for each byte delivered")
    parser.add_argument("binaries")
    parser.add_argument("--mib", type=int, default=64)
    parser.add_argument("--rounds", help="as other programs have it: a count needs one")
    flags = parser.parse_args()
    for what in ("pull", "push"):
        bytes_copied = copied(flags, what, MANY) - copied(flags, what, FEW)
        row.show(f"bytes copied for each byte delivered, {what}", "×", [bytes_copied / (MANY - FEW) / (flags.mib << 20)],
                 at_most=1.1)


if __name__ == "__main__":
    main()
