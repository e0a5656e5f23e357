# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium, spoken to over two pipes: no port, no driver, no other package.

A Browser has one tab. Not thread-safe. Its profile is a new directory that goes with it."""
import base64
import fcntl
import json
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time

_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
          "--no-proxy-server", "--disable-background-networking", "--disable-component-update", "--disable-sync",
          "--disable-extensions", "--hide-scrollbars", "--remote-debugging-pipe"]
_LIMIT = 60  # seconds, for a browser on a busy machine


class Browser:
    def __init__(self, *flags):
        self._profile = tempfile.TemporaryDirectory(prefix="conadv-page-", ignore_cleanup_errors=True)
        self._log = open(pathlib.Path(self._profile.name) / "log", "w+b")
        # Chromium reads file descriptor 3 and writes 4: ours have to be out of the way of both.
        their_in, self._out = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in os.pipe())
        self._in, their_out = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in os.pipe())
        self._process = subprocess.Popen(
            ["/usr/bin/chromium", *_FLAGS, *flags, f"--user-data-dir={self._profile.name}/profile", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, close_fds=False, start_new_session=True,
            preexec_fn=lambda: (os.dup2(their_in, 3), os.dup2(their_out, 4)))
        os.close(their_in)
        os.close(their_out)
        self._rest = b""
        self._calls = 0
        self.complaints = []  # what scripts and the console said, and what could not be loaded
        self._session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def close(self):
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._out)
        os.close(self._in)
        self._log.close()
        self._profile.cleanup()

    def call(self, method, **parameters):
        """The result of a command of the DevTools protocol."""
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + _LIMIT
        while True:
            answer = self._receive(end)
            if answer.get("id") == self._calls:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def _receive(self, end):
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], max(0, end - time.monotonic()))
            part = os.read(self._in, 1 << 20) if ready else b""
            if not part:
                self._log.seek(0)
                raise RuntimeError(f"chromium does not answer; it said: {self._log.read().decode(errors='replace')[-2000:]}")
            self._rest += part
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def _note(self, event):
        parameters = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        if event.get("method") == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
            self.complaints.append(" ".join(str(value.get("value")) for value in parameters["args"]))
        if event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")

    def open(self, url):
        self.call("Page.navigate", url=url)

    def evaluate(self, expression):
        """The value of a JavaScript expression, or of what it promises."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails'].get('exception', {}).get('description')}")
        return result["result"].get("value")

    def wait_for(self, condition, what, seconds=_LIMIT):
        """Until the expression is true: looked at whenever the page changes, and now and then."""
        waiting = """new Promise((resolve) => {
          const look = () => { try { return Boolean(%s); } catch { return false; } };
          if (look()) { resolve(true); return; }
          const done = (value) => { watch.disconnect(); clearInterval(timer); clearTimeout(end); resolve(value); };
          const watch = new MutationObserver(() => { if (look()) done(true); });
          watch.observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
          const timer = setInterval(() => { if (look()) done(true); }, 250);
          const end = setTimeout(() => done(false), 20000);
        })""" % condition
        end = time.monotonic() + seconds
        while not self.evaluate(waiting):
            if time.monotonic() > end:
                raise AssertionError(f"the page never showed {what}; it shows:\n{self.text('body')}\nand said: {self.complaints}")

    def text(self, selector):
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText")

    def resize(self, width, height, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=width < 600)

    def prefer(self, scheme):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, path, whole=False):
        parameters = {"format": "png", "captureBeyondViewport": whole}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            parameters["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        data = self.call("Page.captureScreenshot", **parameters)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))
