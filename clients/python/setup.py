# SPDX-License-Identifier: Apache-2.0
"""What pyproject.toml cannot say: the message classes are generated where the package is built, and that is not here."""
import atexit
import importlib.util
import pathlib
import shutil
import tempfile

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = pathlib.Path(__file__).resolve().parent


def _generate(directory: pathlib.Path) -> None:
    spec = importlib.util.spec_from_file_location("generate", HERE / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.generate(directory)


class BuildWithMessages(build_py):
    def run(self) -> None:
        super().run()
        _generate(pathlib.Path(self.build_lib))


SCRATCH = tempfile.mkdtemp()
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)

setup(packages=["conadv", "conadv._wire"], package_data={"conadv": ["py.typed"]},
      cmdclass={"build_py": BuildWithMessages},
      options={"build": {"build_base": SCRATCH}, "egg_info": {"egg_base": SCRATCH}})
