# SPDX-License-Identifier: Apache-2.0
"""One row of `make bench`'s table, as tests/bench/table/row.h says, for programs in Python."""
import json
import statistics


def show(name, unit, ours, theirs=(), *, reference="", at_least=None, at_most=None, note=""):
    """ours and theirs: samples of the same rounds."""
    row = {"row": name, "unit": unit, "ours": statistics.median(ours), "rounds": len(ours)}
    if theirs:
        ratios = [a / b for a, b in zip(ours, theirs)]
        row.update(reference=reference, theirs=statistics.median(theirs), lowest=min(ratios), highest=max(ratios),
                   ratio=statistics.median(ours) / statistics.median(theirs))
    if at_least is not None:
        row["at_least"] = at_least
    if at_most is not None:
        row["at_most"] = at_most
    if note:
        row["note"] = note
    print(json.dumps(row), flush=True)


def interleave(rounds, samples):
    """Each of `samples` once a round, forwards and backwards in turn; one more round before is not counted."""
    seen = [[] for _ in samples]
    for turn in range(-1, rounds):
        order = range(len(samples)) if turn % 2 == 0 else reversed(range(len(samples)))
        for i in order:
            value = samples[i]()
            if turn >= 0:
                seen[i].append(value)
    return seen
