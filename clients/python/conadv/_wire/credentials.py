# SPDX-License-Identifier: Apache-2.0
"""Who this process is and whom it trusts, by the files that say so. Thread-safe."""
from __future__ import annotations

import dataclasses
import os
import threading
from typing import Any, Dict, Optional, Tuple

import grpc

Stamp = Tuple[Tuple[int, int, int], ...]


def _read(path: str, what: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ValueError(f"{what}: cannot read {path}: {error.strerror}; check the path and who may read it") from error


def _stamp(path: str) -> Tuple[int, int, int]:
    try:
        stat = os.stat(path)
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
    except OSError:
        return 0, 0, 0


class _Token(grpc.AuthMetadataPlugin):  # type: ignore[misc]  # grpcio has no types
    """The token, as its file says now. A file that is away or empty for a moment leaves the last one."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: Tuple[int, int, int] = (0, 0, 0)
        self._token = ""
        if not self._now():
            raise ValueError(f"token_file: {path} is empty; it has to hold one token")

    def _now(self) -> str:
        with self._lock:
            stamp = _stamp(self._path)
            if stamp != self._stamp and stamp != (0, 0, 0) or not self._token:
                token = _read(self._path, "token_file").decode("ascii", "replace").strip()
                if token:
                    self._token, self._stamp = token, stamp
            return self._token

    def __call__(self, context: Any, callback: Any) -> None:
        try:
            callback((("authorization", f"Bearer {self._now()}"),), None)
        except Exception as error:  # the call fails with it, and this thread goes on
            callback((), error)


@dataclasses.dataclass(frozen=True)
class Files:
    """Paths; None is none."""

    tls_ca: Optional[str] = None
    tls_cert: Optional[str] = None
    tls_key: Optional[str] = None
    token_file: Optional[str] = None

    @staticmethod
    def named(tls_ca: Optional[str], tls_cert: Optional[str], tls_key: Optional[str],
              token_file: Optional[str]) -> "Files":
        """With CONADV_TLS_CA, CONADV_TLS_CERT, CONADV_TLS_KEY and CONADV_TOKEN_FILE for what is not given."""
        given: Dict[str, Optional[str]] = {"tls_ca": tls_ca, "tls_cert": tls_cert, "tls_key": tls_key,
                                           "token_file": token_file}
        return Files(**{name: value or os.environ.get(f"CONADV_{name.upper()}") or None
                        for name, value in given.items()})


class Credentials:
    """Makes channels by the files' contents: those that are renamed there count for channels that are made from then
    on, and tokens for calls."""

    def __init__(self, files: Files) -> None:
        if (files.tls_cert is None) != (files.tls_key is None):
            raise ValueError("tls_cert and tls_key go together: one of them is missing")
        if files.tls_ca is None and (files.tls_cert or files.token_file):
            raise ValueError("tls_ca is missing: certificates and tokens go over encrypted connections only")
        self._files = files
        self._token = _Token(files.token_file) if files.token_file else None
        self.channel_credentials()  # what is wrong with them is told at once

    def stamp(self) -> Stamp:
        """Another one once a file of TLS has changed."""
        files = self._files
        return tuple(_stamp(path) for path in (files.tls_ca, files.tls_cert, files.tls_key) if path)

    def channel_credentials(self) -> Optional[Any]:
        """None: no encryption."""
        files = self._files
        if files.tls_ca is None:
            return None
        key = certificate = None
        if files.tls_cert and files.tls_key:
            certificate, key = _read(files.tls_cert, "tls_cert"), _read(files.tls_key, "tls_key")
        made = grpc.ssl_channel_credentials(_read(files.tls_ca, "tls_ca"), key, certificate)
        if self._token is None:
            return made
        return grpc.composite_channel_credentials(made, grpc.metadata_call_credentials(self._token, name="token"))
