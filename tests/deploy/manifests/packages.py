# SPDX-License-Identifier: Apache-2.0
"""What deploy/install.sh installs, and what Debian's package database knows about it here. Holds nothing."""
import pathlib
import re
import subprocess

INSTALL = pathlib.Path(__file__).resolve().parents[3] / "deploy/install.sh"
SUITES = ("bookworm", "trixie")


def packages_of(packages, suite):
    """The names in a set, as the suite has them."""
    return subprocess.run([INSTALL, "list", packages, suite], capture_output=True, text=True, check=True).stdout.split()


def _query(form, *names):
    command = ["dpkg-query", "-W", f"-f={form}", *names]
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()


def installed(names):
    """Those of `names` that are installed, virtual ones not counted."""
    found = (line.split() for line in _query("${Package} ${db:Status-Status}\\n", *names))
    return {name for name, status in found if status == "installed"}


def with_dependencies(names):
    """`names` and what is installed of all that they need."""
    closure, todo = set(), set(names)
    while todo := installed(todo) - closure if todo else set():
        closure |= todo
        depends = ",".join(_query("${Pre-Depends},${Depends}\\n", *todo))
        todo = {re.split(r"[\s:(]", d.strip(), maxsplit=1)[0] for d in re.split(r"[,|]", depends)} - {""}
    return closure


def libraries_of(program):
    """library → the package that it is from, of what a program names itself; without those that are from none."""
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", _output("readelf", "-d", program))
    places = dict(re.findall(r"(\S+) => (\S+)", _output("ldd", program)))
    # Debian 13 has everything below /usr, and 12 a link from /lib that its packages still name.
    paths = {form: name for name in needed if name in places
             for form in (places[name], f"/usr{places[name]}", places[name].removeprefix("/usr"))}
    owned = re.findall(r"^([^\s:]+)\S*: (\S+)$", _output("dpkg-query", "-S", *paths), re.M)
    return {paths[path]: package for package, path in owned}


def _output(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout
