#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The benchmark's table: runs the programs that print rows, and shows and writes what they found.

    tests/bench/table/table.py build [--only=wire,updates] [--rounds=7] [--json]

Each program prints one line of JSON a row (tests/bench/table/row.h). The whole is written to BUILD/bench.json, with the
machine that it is of. A program that fails is said so, and the others go on; the exit code is then 1.
"""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent
# What to run, by the name that --only knows. {bin} are the built programs, {here} is tests/bench,
# {python} is the one that Debian's packages are for.
PROGRAMS = {
    "wire": ["{bin}/bench_wire", "--rounds={rounds}"],
    "shared_memory": ["{bin}/bench_shared_memory", "--rounds={rounds}"],
    "update": ["{bin}/bench_update", "--rounds={rounds}"],
    "peers": ["{python}", "{here}/wire/peers.py", "{bin}", "--rounds={rounds}"],
    "training": ["{python}", "{here}/against_pytorch.py", "{bin}", "--rounds={rounds}"],
    "copies": ["{python}", "{here}/wire/copies.py", "{bin}"],
    "simulate": ["{bin}/bench_simulate", "--rounds={rounds}"],
}


def machine():
    model = next((line.split(":", 1)[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.processor())
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"processor": model, "cores": len(os.sched_getaffinity(0)), "memory_gib": round(pages / 2**30, 1),
            "kernel": platform.release()}


def commit():
    done = subprocess.run(["git", "-C", HERE, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def number(value):
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def reached(row):
    """The word for a row that has something to reach."""
    value = row.get("ratio", row["ours"])
    if "at_least" in row:
        return f"≥ {row['at_least']:g}" + ("" if value >= row["at_least"] else "  missed")
    if "at_most" in row:
        return f"≤ {row['at_most']:g}" + ("" if value <= row["at_most"] else "  missed")
    return ""


def lines(rows):
    cells = [("row", "ours", "reference", "ratio", "(rounds)", "to reach")]
    for row in rows:
        reference, ratio, spread = "", "", ""
        if "ratio" in row:
            reference = f"{number(row['theirs'])} {row['unit']}, {row['reference']}"
            ratio = f"{row['ratio']:.2f}"
            spread = f"({row['lowest']:.2f} to {row['highest']:.2f})"
        cells.append((row["row"], f"{number(row['ours'])} {row['unit']}", reference, ratio, spread, reached(row)))
    widths = [max(len(cell[i]) for cell in cells) for i in range(6)]
    return ["  ".join(text.ljust(width) for text, width in zip(cell, widths)).rstrip() for cell in cells]


def rows_of(name, command):
    """The program's rows, each shown on standard error as it comes."""
    print(f"== {name}: {' '.join(map(str, command))}", file=sys.stderr, flush=True)
    rows = []
    if not pathlib.Path(command[0]).is_file():
        print(f"{name}: there is no {command[0]}: make build makes ours, --python names another Python", file=sys.stderr)
        return rows, False
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        for line in program.stdout:
            if line.startswith("{"):
                rows.append(json.loads(line))
                print(f"   {lines(rows[-1:])[1]}", file=sys.stderr, flush=True)
    if program.returncode != 0:
        print(f"{name}: ended with exit code {program.returncode}", file=sys.stderr)
    return rows, program.returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--only", default=",".join(PROGRAMS), help="which programs, by name: " + ", ".join(PROGRAMS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--python", default="/usr/bin/python3", help="for what needs PyTorch")
    parser.add_argument("--json", action="store_true", help="print what is written to bench.json, and no table")
    flags = parser.parse_args()
    unknown = sorted(set(flags.only.split(",")) - set(PROGRAMS))
    if unknown:
        parser.error(f"--only: there is no {', '.join(unknown)}; there are {', '.join(PROGRAMS)}")
    if not flags.build.is_dir():
        parser.error(f"{flags.build}: there is no such directory; make build makes build/")
    result = {"commit": commit(), "machine": machine(), "rows": []}
    whole = True
    for name in flags.only.split(","):
        values = {"bin": flags.build / "bin", "here": HERE, "rounds": flags.rounds, "python": flags.python}
        command = [part.format(**values) for part in PROGRAMS[name]]
        rows, ok = rows_of(name, command)
        result["rows"] += rows
        whole = whole and ok
    (flags.build / "bench.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    if flags.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        of = result["machine"]
        print(f"{of['processor']}, {of['cores']} cores, {of['memory_gib']} GiB, Linux {of['kernel']}; commit "
              f"{result['commit']}; medians of {flags.rounds} rounds")
        print("\n".join(lines(result["rows"])))
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()
