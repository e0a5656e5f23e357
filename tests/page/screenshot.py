#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The README's picture of the live page, of a run of the job that ships: screenshot.py BINARIES [FILE].

Trains Fashion-MNIST with two workers into a directory of its own, looks when four fifths are done, and ends the run."""
import pathlib
import signal
import subprocess
import sys
import tempfile

from browser import Browser

WIDTH, HEIGHT = 1000, 1000
DONE = 0.8


def main(binaries, picture):
    with tempfile.TemporaryDirectory() as directory:
        run = subprocess.Popen([binaries / "conadv", "train", f"--out={directory}/out", "--workers=2"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            url = next(line.split("watch it at ")[1].strip() for line in run.stderr if "watch it at " in line)
            browser = Browser()
            try:
                browser.prefer("light")
                browser.resize(WIDTH, HEIGHT)
                browser.open(url)
                browser.wait_for(f"document.getElementById('progress').position >= {DONE}", "the run's last fifth", seconds=600)
                browser.screenshot(picture)
            finally:
                browser.close()
        finally:
            run.send_signal(signal.SIGTERM)
            run.stderr.read()
            run.wait()
            run.stderr.close()
    print(f"{picture}: {picture.stat().st_size} bytes")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]),
         pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else pathlib.Path(__file__).parents[2] / "docs/images/live.png"))
