# SPDX-License-Identifier: Apache-2.0
"""Files of float32 tensors in the safetensors format, byte for byte as `conadv pull` writes them."""
from __future__ import annotations

import json
import os
import tempfile
from typing import Dict, Iterable, List, Tuple

import numpy
import numpy.typing

_ALIGNMENT = 8


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def header(tensors: Iterable[Tuple[str, Tuple[int, ...]]], metadata: Dict[str, str]) -> bytes:
    """What comes before the values, which follow in the same order without gaps."""
    entries: List[str] = []
    if metadata:
        items = ",".join(f"{_quoted(key)}:{_quoted(metadata[key])}" for key in sorted(metadata))
        entries.append(f'"__metadata__":{{{items}}}')
    end = 0
    for name, shape in tensors:
        begin = end
        end += 4 * int(numpy.prod(shape, dtype=numpy.int64))
        entries.append(f'{_quoted(name)}:{{"dtype":"F32","shape":[{",".join(map(str, shape))}],'
                       f'"data_offsets":[{begin},{end}]}}')
    text = f"{{{','.join(entries)}}}".encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def write(path: str, tensors: Iterable[Tuple[str, numpy.typing.NDArray[numpy.float32]]],
          metadata: Dict[str, str]) -> None:
    """All or nothing: a temporary file beside it, synced, that is renamed then."""
    arrays = [(name, numpy.asarray(array, dtype="<f4", order="C")) for name, array in tensors]
    directory = os.path.dirname(os.path.abspath(path))
    descriptor, temporary = tempfile.mkstemp(prefix=os.path.basename(path) + ".tmp.", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(header([(name, array.shape) for name, array in arrays], metadata))
            for _, array in arrays:
                file.write(array.reshape(-1).data)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
