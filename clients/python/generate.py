#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the message classes of the contract: generate.py DIRECTORY writes DIRECTORY/conadv/v1/*_pb2.py and their types.

Works without a network, with protoc 3.20 or later (Debian's protobuf-compiler) or, if that is not there, with grpcio-tools.
$PROTOC names another protoc."""
import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
from typing import List

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"


def _protoc() -> List[str]:
    named = os.environ.get("PROTOC") or shutil.which("protoc")
    if named:
        return [named]
    if importlib.util.find_spec("grpc_tools") is not None:
        return [sys.executable, "-m", "grpc_tools.protoc"]
    raise SystemExit("conadv: no protoc. Install protobuf-compiler (Debian) or grpcio-tools, or name one in $PROTOC")


def generate(directory: pathlib.Path) -> None:
    """Everything in proto/conadv/v1. The same bytes from the same files."""
    files = sorted((PROTO / "conadv" / "v1").glob("*.proto"))
    if not files:
        raise SystemExit(f"conadv: {PROTO} has no contract: build from a whole source tree")
    (directory / "conadv" / "v1").mkdir(parents=True, exist_ok=True)
    subprocess.run([*_protoc(), f"-I{PROTO}", f"--python_out={directory}", f"--pyi_out={directory}",
                    *map(str, files)], check=True)
    (directory / "conadv" / "v1" / "__init__.py").write_text(
        '# SPDX-License-Identifier: Apache-2.0\n"""The messages of proto/conadv/v1, as protoc makes them."""\n')


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    generate(pathlib.Path(sys.argv[1]))
