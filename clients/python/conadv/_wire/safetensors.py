# SPDX-License-Identifier: Apache-2.0
"""Files of float32 tensors in the safetensors format, byte for byte as `conadv pull` writes them."""
from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
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


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):  # a disk that has no such thing
            raise


def write(path: str, tensors: Iterable[Tuple[str, numpy.typing.NDArray[numpy.float32]]],
          metadata: Dict[str, str]) -> None:
    """All or nothing where a rename is that: a temporary file beside it, synced, that is renamed then."""
    arrays = [(name, numpy.asarray(array, dtype="<f4", order="C")) for name, array in tensors]
    temporary = f"{path}.tmp.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        with open(temporary, "xb") as file:
            file.write(header([(name, array.shape) for name, array in arrays], metadata))
            for _, array in arrays:
                file.write(array.reshape(-1).data)
            file.flush()
            _sync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
