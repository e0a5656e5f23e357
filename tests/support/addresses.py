# SPDX-License-Identifier: Apache-2.0
"""Where a server that was just started listens."""


def read_addresses(server, log):
    """Of a conadv-server with --http_listen whose standard output is a pipe of text: HOST:PORT of its RPCs, and the URL of
    its HTTP port. `log` is the path of what it writes to standard error."""
    found = {}
    for line in server.stdout:
        for words in ("listening on ", "watch it at "):
            if words in line:
                found[words] = line.split(words)[1].strip()
        if len(found) == 2:
            return found["listening on "], found["watch it at "]
    raise RuntimeError(f"the server ended before it listened: {log.read_text()[-2000:]}")
