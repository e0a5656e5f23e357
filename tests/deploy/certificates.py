# SPDX-License-Identifier: Apache-2.0
"""Certificates as cert-manager would write them into a Secret, made with openssl. Holds nothing."""
import pathlib
import subprocess
import tempfile

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def secret(names, unit):
    """{file: text} of a Secret: a new authority, and a certificate of it for these DNS names, whose OU is `unit`."""
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)

        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], cwd=work, check=True, capture_output=True)

        openssl("req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=conadv-ca", "-keyout", "ca.key", "-out", "ca.crt")
        openssl("req", *_KEY, "-subj", f"/OU={unit}/CN=conadv", "-keyout", "tls.key", "-out", "tls.csr")
        (work / "names").write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
        openssl("x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1",
                "-extfile", "names", "-out", "tls.crt")
        return {file: (work / file).read_text() for file in ("ca.crt", "tls.crt", "tls.key")}
