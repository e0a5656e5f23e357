# SPDX-License-Identifier: Apache-2.0
"""What deploy/monitoring promises, on a real run with a real Prometheus: the metrics are valid, complete and documented, no counter
goes back when a shard is killed, and every expression of the dashboard and the rules finds something.
usage: monitoring_test.py FOLDER-OF-BINARIES"""
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

from monitored_run import MonitoredRun, fetch
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

ROOT = pathlib.Path(__file__).resolve().parents[3]
MONITORING = ROOT / "deploy/monitoring"
PATIENCE = 120  # seconds, for a run to get somewhere


def series_of(text):
    """{(name, labels): (value, whether it may only rise)}"""
    series = {}
    for family in parse_text(text):
        for sample in family.samples:
            rises = family.type in ("counter", "histogram") or sample.name == "conadv_version"
            series[sample.name, tuple(sorted(sample.labels.items()))] = (sample.value, rises)
    return series


def value_of(series, name, **labels):
    for (found, pairs), (value, _) in series.items():
        if found == name and all(dict(pairs).get(key) == wanted for key, wanted in labels.items()):
            return value
    return None


def names_in(expression):
    return set(re.findall(r"\bconadv_[a-z_]+", expression))


def expressions():
    """Of the dashboard and the rules."""
    dashboard = json.loads((MONITORING / "grafana-dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$job", "conadv").replace("$__rate_interval", "30s")
    for name, expression in re.findall(r"- (?:alert|record): (\S+)\n\s+expr: (.*)", (MONITORING / "rules.yml").read_text()):
        yield name, expression


class Pause:
    """Between two looks at something that takes its time."""
    def __init__(self):
        self._never = threading.Event()

    def __call__(self):
        self._never.wait(0.2)


class Prometheus:
    def __init__(self, folder, targets):
        folder = pathlib.Path(folder)
        shutil.copy(MONITORING / "rules.yml", folder)
        config = (MONITORING / "prometheus.yml").read_text()
        config = config.replace("scrape_interval: 15s", "scrape_interval: 1s\n  evaluation_interval: 1s")
        config = re.sub(r"targets: \[.*\]", f"targets: {json.dumps(targets)}", config)
        (folder / "prometheus.yml").write_text(config)
        # It cannot pick a free port itself: one that was free a moment ago.
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        self._log = open(folder / "prometheus.log", "wb")
        self._process = subprocess.Popen(
            ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
             f"--web.listen-address={self._address}"], stdout=self._log, stderr=self._log)

    def ask(self, path, **query):
        try:
            answer = json.loads(fetch(f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(query)}")[0])
        except OSError:
            return None  # it is starting
        return answer["data"]

    def close(self):
        self._process.kill()
        self._process.wait()
        self._log.close()


class DescriptionsTest(unittest.TestCase):
    def test_promtool_accepts_the_rules_and_the_configuration(self):
        for command in (["check", "rules", "rules.yml"], ["check", "config", "prometheus.yml"]):
            done = subprocess.run(["promtool", *command], cwd=MONITORING, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_alerts_come_when_they_should_and_only_then(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(MONITORING / "rules.yml", folder)
            shutil.copy(ROOT / "tests/deploy/monitoring/rules_test.yml", folder)
            done = subprocess.run(["promtool", "test", "rules", "rules_test.yml"], cwd=folder, capture_output=True,
                                  text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class RunTest(unittest.TestCase):
    """One run for all: it costs more than looking at it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.run_ = MonitoredRun(BINARIES, cls.folder.name)
        cls.addClassCleanup(cls.run_.close)
        cls.prometheus = Prometheus(cls.folder.name, cls.run_.targets())
        cls.addClassCleanup(cls.prometheus.close)
        cls.last = [{} for _ in range(MonitoredRun.SHARDS)]  # every series that was ever seen, by shard
        cls.fallen = []

    def look(self):
        """Scrapes every shard once, and notes what has fallen."""
        for shard in range(MonitoredRun.SHARDS):
            text = self.run_.metrics(shard)
            if text is None:
                continue
            for key, (value, rises) in series_of(text).items():
                before = self.last[shard].get(key, (value, rises))[0]
                if rises and value < before:
                    self.fallen.append((shard, key, before, value))
                self.last[shard][key] = (value, rises)

    def wait_for(self, what, condition):
        deadline, pause = time.monotonic() + PATIENCE, Pause()
        while time.monotonic() < deadline:
            self.look()
            if (found := condition()):
                return found
            pause()
        self.fail(f"no {what} after {PATIENCE} s; shard 0 said last: {self.run_.metrics(0)}")

    def now(self, shard, name, **labels):
        text = self.run_.metrics(shard)
        return value_of(series_of(text), name, **labels) if text else None

    def evaluated(self):
        return (self.now(0, "conadv_evaluation_accuracy", kind="clean") is not None and
                (self.now(0, "conadv_worker_units_total") or 0) > 0 and (self.now(1, "conadv_version") or 0) > 30)

    def wait_until_the_lineage_is_counted(self):
        """What a shard says is of its last look, which may be from before the lineage that the shard is in. Two looks later it
        is not: a look has begun after the one before it was told."""
        for _ in range(2):
            made = [self.now(shard, "conadv_made_updates_total") for shard in range(MonitoredRun.SHARDS)]
            self.wait_for("another look", lambda: all((self.now(shard, "conadv_made_updates_total") or 0) > (before or 0)
                                                      for shard, before in enumerate(made)))

    def test_1_the_text_is_valid_in_both_formats(self):
        self.wait_for("evaluation", self.evaluated)
        for shard in range(MonitoredRun.SHARDS):
            done = subprocess.run(["promtool", "check", "metrics"], input=self.run_.metrics(shard), capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
            text = self.run_.metrics(shard, accept="application/openmetrics-text; version=1.0.0")
            self.assertTrue(text.endswith("# EOF\n"))
            self.assertGreater(len(list(parse_openmetrics(text))), 20)

    def test_1_health_over_grpc_and_http_agree(self):
        self.wait_for("version", lambda: (self.now(1, "conadv_version") or 0) > 0)
        for shard in range(MonitoredRun.SHARDS):
            self.assertRegex(self.run_.ready(shard), r"^serves version \d+ of lineage [0-9a-f]{16}\n$")
            for service in ("", "conadv.v1.ParameterServer"):
                self.assertEqual(self.run_.health(shard, service), 1, service)

    def test_2_every_metric_of_the_document_is_there(self):
        self.wait_for("evaluation", self.evaluated)
        documented = set(re.findall(r"^\| `(conadv_[a-z_]+)`", (ROOT / "docs/monitoring.md").read_text(), re.M))
        self.assertGreater(len(documented), 30)
        there = {line.split()[2] for line in self.run_.metrics(0).splitlines() if line.startswith("# TYPE ")}
        self.assertEqual(documented, there)
        for where, expression in expressions():
            for name in names_in(expression):
                self.assertIn(re.sub(r"_(bucket|sum|count)$", "", name), there, where)

    def test_3_no_counter_goes_back_when_a_shard_is_killed(self):
        for shard in (1, 0):
            self.wait_for("checkpoint", lambda: (self.now(0, "conadv_checkpoint_common_version") or 0) >= 10)
            lineage = {dict(labels)["lineage"] for name, labels in series_of(self.run_.metrics(0)) if name == "conadv_version"}
            self.run_.kill_server(shard)
            self.look()
            self.run_.start_server(shard)

            def goes_on():
                text = self.run_.metrics(0)
                versions = {dict(labels)["lineage"]: value for (name, labels), (value, _) in series_of(text or "").items()
                            if name == "conadv_updates_total"}
                return len(versions) == 1 and not lineage & set(versions) and max(versions.values()) > 5
            self.wait_for(f"new lineage after the death of shard {shard}", goes_on)
        self.assertEqual(self.fallen, [])

    def test_4_a_survivor_and_who_comes_back_know_what_the_return_cost(self):
        self.wait_for("checkpoint", lambda: (self.now(0, "conadv_checkpoint_common_version") or 0) >= 10)
        self.wait_for("goodput", lambda: all(self.now(shard, "conadv_lineages_total") for shard in range(MonitoredRun.SHARDS)))
        self.wait_until_the_lineage_is_counted()
        lineages = self.now(0, "conadv_lineages_total")
        lost = self.now(0, "conadv_lost_seconds_total")
        killed = {name: self.now(1, name) for name in ("conadv_made_updates_total", "conadv_lineages_total",
                                                       "conadv_lost_seconds_total")}
        self.run_.kill_server(1)
        self.run_.start_server(1)
        self.wait_for("return", lambda: (self.now(0, "conadv_lineages_total") or 0) > lineages)
        self.wait_for("word of it", lambda: (self.now(1, "conadv_lineages_total") or 0) > killed["conadv_lineages_total"])
        self.assertGreaterEqual(self.now(1, "conadv_made_updates_total"), killed["conadv_made_updates_total"])
        self.assertGreater(self.now(1, "conadv_lost_seconds_total"), killed["conadv_lost_seconds_total"])
        self.assertGreater(self.now(0, "conadv_lost_seconds_total"), lost)
        made, gone = self.now(0, "conadv_made_updates_total"), self.now(0, "conadv_lost_updates_total")
        self.assertGreaterEqual(made, gone)

    def test_5_prometheus_scrapes_it_and_every_expression_has_an_answer(self):
        self.wait_for("evaluation", self.evaluated)

        def scraped():
            targets = (self.prometheus.ask("targets") or {}).get("activeTargets", [])
            return len(targets) == MonitoredRun.SHARDS and all(target["health"] == "up" for target in targets)
        self.wait_for("scrape of every shard", scraped)
        for where, expression in expressions():
            # What an alert compares is there; whether it fires is for promtool's test.
            found = re.split(r" (?:[<>]=?|==) ", expression)[0] if where.startswith("Conadv") else expression
            self.wait_for(f"answer to {where}: {found}",
                          lambda: (self.prometheus.ask("query", query=found) or {}).get("result"))
        groups = self.prometheus.ask("rules")["groups"]
        self.assertEqual([rule["name"] for group in groups for rule in group["rules"] if rule["health"] == "err"], [])


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1))
    unittest.main()
