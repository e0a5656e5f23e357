# SPDX-License-Identifier: Apache-2.0
"""Certificates as cert-manager would write them into a Secret, made with openssl. Holds nothing."""
import pathlib
import subprocess
import tempfile

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Authority:
    """Makes certificates as files of a folder; the roots are ca.crt there."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self._openssl("req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=conadv-ca", "-keyout", "ca.key", "-out", "ca.crt")

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def issue(self, into, unit, names, days=1):
        """tls.crt and tls.key in the folder `into`, and ca.crt beside them. `names` as in "DNS:a,IP:127.0.0.1"; `days` may be
        less than 0: it has expired then."""
        into.mkdir(parents=True, exist_ok=True)
        self._openssl("req", *_KEY, "-subj", f"/OU={unit}/CN=conadv", "-keyout", into / "tls.key", "-out", into / "tls.csr")
        (into / "names").write_text(f"subjectAltName={names}")
        self._openssl("x509", "-req", "-in", into / "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", str(days), "-extfile", into / "names", "-out", into / "tls.crt")
        (into / "ca.crt").write_bytes((self.folder / "ca.crt").read_bytes())
        return into


def secret(names, unit):
    """{file: text} of a Secret: a new authority, and a certificate of it for these DNS names, whose OU is `unit`."""
    with tempfile.TemporaryDirectory() as folder:
        into = Authority(folder).issue(pathlib.Path(folder) / "tls", unit, ",".join(f"DNS:{name}" for name in names))
        return {file: (into / file).read_text() for file in ("ca.crt", "tls.crt", "tls.key")}
