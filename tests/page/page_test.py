#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The live page, in Chromium, on a run that trains: page_test.py BINARIES.

One run, and its course is the test's: paused by stopping its workers, compared with what the RPCs say; its server killed
and started again; trained to its end."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from browser import Browser
from watched_run import STEPS, WatchedRun

BINARIES = None
# A server refuses control characters; what turns the text's direction gets through.
HOSTILE = "<img src=x onerror=document.title='taken'>\u202e"
HOSTILE_SHOWN = "<img src=x onerror=document.title='taken'>\\u{202e}"
UNKNOWN = "unknown"

# The status page's figures: what each has to be of the status.
FIGURES = {
    "version": "version", "throughput": "examples_per_second", "clean-loss": "clean_loss", "adversarial-loss": "adversarial_loss",
    "rate": "rate", "attack-staleness": "attack_staleness_mean", "update-staleness": "update_staleness_mean",
    "workers-count": "workers",
}
# Of the metrics' records, the charts' lines by their labels.
LINES = {
    "losses": {"clean": "clean_loss", "adversarial": "adversarial_loss"},
    "accuracies": {"training, clean": "clean_accuracy", "training, adversarial": "adversarial_accuracy"},
    "rate-chart": {"rate": "rate"},
    "staleness-chart": {"attack": "attack_staleness", "update": "update_staleness"},
}


def grouped(value):
    return f"{value:,}"


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.run_ = WatchedRun(BINARIES, cls.directory.name)
        cls.addClassCleanup(cls.run_.close)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)
        cls.browser.resize(1280, 900)
        cls.browser.prefer("light")
        cls.browser.open(cls.run_.url)

    def shows(self, selector, text):
        self.browser.wait_for(f"document.querySelector({json.dumps(selector)}).textContent.includes({json.dumps(text)})",
                              f"{text!r} in {selector}")

    def figure(self, name):
        return self.browser.evaluate(f"document.getElementById('{name}').value")

    def table(self, selector):
        """The rows of a table as lists of texts."""
        return self.browser.evaluate(f"""[...document.querySelectorAll('{selector} tbody tr')].map(
            (row) => [...row.children].map((cell) => cell.textContent))""")

    def chart_table(self, chart):
        """{version: {label: text}}, as the chart's table has them when it is open."""
        self.browser.evaluate(f"document.querySelector('#{chart} details').open = true")
        self.browser.wait_for(f"document.querySelector('#{chart} tbody tr')", f"the table of {chart}")
        titles = self.browser.evaluate(f"[...document.querySelectorAll('#{chart} thead th')].map((cell) => cell.textContent)")
        return {int(row[0].replace(",", "")): dict(zip(titles[1:], row[1:])) for row in self.table(f"#{chart}")}

    def version(self):
        return int(self.figure("version") or 0)

    def test_a_run_is_watched_from_its_begin_over_its_servers_death_to_its_end(self):
        self.shows("#phase", "waiting for workers")
        self.assertEqual(self.figure("clean-loss"), "")
        self.assertEqual(self.browser.text("#clean-loss"), UNKNOWN)
        for name in (HOSTILE, "plain"):
            self.run_.start_member(name)
        self.run_.start_member("evaluator", role="evaluator")
        self.browser.wait_for("document.getElementById('version').value >= 40", "version 40")
        self.browser.wait_for("document.getElementById('clean-accuracy').value !== ''", "an evaluation")
        self.pause()

        with self.subTest("figures"):
            self.compare_figures()
        with self.subTest("members"):
            self.compare_members()
        with self.subTest("staleness"):
            self.compare_staleness()
        with self.subTest("calm"):
            self.look_for_jumps()
        with self.subTest("charts"):
            self.compare_charts()
        with self.subTest("versions"):
            self.compare_versions()
        with self.subTest("names"):
            self.assertEqual(self.browser.evaluate("document.querySelectorAll('img').length"), 0)
            self.assertEqual(self.browser.evaluate("document.title"), "page – conadv")
        with self.subTest("phone"):
            self.look_at_360_pixels()
        with self.subTest("dark"):
            self.look_in_the_dark()
        with self.subTest("memory"):
            self.thin_a_long_run()
        # Up to here nothing failed to load, nothing was refused by the policy, and no script threw.
        self.assertEqual(self.browser.complaints, [])

        self.kill_and_go_on()
        self.train_to_the_end()
        scripts = [complaint for complaint in self.browser.complaints if "Failed to load resource" not in complaint]
        self.assertEqual(scripts, [])

    def test_a_token_opens_it_and_nothing_else_does(self):
        root = pathlib.Path(self.directory.name) / "tokens"
        root.mkdir()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-keyout", "tls.key", "-out", "tls.crt"], cwd=root, check=True, capture_output=True)
        token, other = "a-token-that-is-long-enough-0123456789", "another-token-that-is-long-enough-0123"
        (root / "tokens").write_text(f"viewer {token}\n")
        (root / "tokens").chmod(0o600)
        run = WatchedRun(BINARIES, root, f"--tls_cert={root / 'tls.crt'}", f"--tls_key={root / 'tls.key'}",
                         f"--tokens={root / 'tokens'}")
        self.addCleanup(run.close)
        # Whose certificate it is, is not this test's question.
        browser = Browser("--ignore-certificate-errors")
        self.addCleanup(browser.close)
        for password, opens in ((other, False), (token, True)):
            browser.open(run.url.replace("//", f"//anyone:{password}@"))
            browser.wait_for("document.readyState === 'complete'", "the answer")
            self.assertEqual(browser.evaluate("document.querySelector('h1') !== null"), opens)
        browser.wait_for("document.getElementById('phase').textContent === 'waiting for workers'", "the phase")

    def pause(self):
        """Until what was on its way has come, and the page has it."""
        self.run_.pause()
        before = None
        while (version := self.run_.ask("Status").version) != before:
            self.look_anew()
            before = version

    def look_anew(self):
        """Until all that the page shows was asked for after now: of two looks at everything the second was."""
        self.browser.evaluate("performance.clearResourceTimings()")
        self.browser.wait_for("""((asked) => asked.slice(asked.indexOf('checkpoints', asked.indexOf('checkpoints') + 1))
            .includes('status') && asked.filter((what) => what === 'checkpoints').length >= 2)(
          performance.getEntriesByType('resource').map((entry) => entry.name.split('/').at(-1)))""", "another look")

    def compare_figures(self):
        status = self.run_.ask("Status")
        self.browser.wait_for(f"document.getElementById('clean-loss').value === String({status.clean_loss!r})", "its loss")
        for name, field in FIGURES.items():
            shown = self.figure(name)
            self.assertEqual(float(shown), float(getattr(status, field)), name)
            self.assertAlmostEqual(float(self.browser.text(f"#{name}").replace(",", "")), float(shown),
                                   delta=1e-3 * abs(float(shown)) + 1e-9, msg=name)
        self.assertEqual(self.browser.text("#phase"), "training")
        self.assertEqual(float(self.figure("clean-accuracy")), status.last_evaluation.clean_accuracy)
        # It is measured at the end alone.
        self.assertFalse(status.last_evaluation.robust)
        self.assertEqual(self.browser.text("#robust-accuracy"), UNKNOWN)
        self.assertIn(f"version {status.version} of {STEPS}", self.browser.text("#progress-text"))
        self.assertEqual(self.browser.evaluate("document.getElementById('progress').value"), status.version)

    def look_for_jumps(self):
        moved = self.browser.evaluate("""new Promise((resolve) => {
          setTimeout(() => resolve([]), 1000);
          new PerformanceObserver((list) => resolve(list.getEntries().map((entry) => [entry.value,
            ...entry.sources.map(({node}) => node?.outerHTML?.slice(0, 100) ?? '')]))).observe({type: 'layout-shift', buffered: true});
        })""")
        # Google's bound for a good page is 0.1.
        self.assertLess(sum(value for value, *_ in moved), 0.02, moved)

    def compare_charts(self):
        version = self.run_.ask("Status").version
        records = self.run_.records()
        steps = {record.step.version: record.step for record in records if record.HasField("step")}
        evaluations = {record.evaluation.version: record.evaluation for record in records if record.HasField("evaluation")}
        newest = max(steps)
        self.assertTrue(evaluations)
        for chart, lines in LINES.items():
            self.shows(f"#{chart} .at", f"version {version}")
            points = self.browser.evaluate(f"document.querySelector('#{chart} .line.s0[d]:not(.key *)').getAttribute('d').split('L').length")
            self.assertEqual(points, version, chart)
            shown = self.chart_table(chart)
            self.assertIn(newest, shown)
            for at, values in shown.items():
                for label, field in lines.items():
                    if at not in steps:
                        continue
                    value = float(values[label].rstrip(" %"))
                    scale, delta = (100, 0.051) if values[label].endswith("%") else (1, 1e-3 * abs(value) + 1e-9)
                    self.assertAlmostEqual(value, scale * getattr(steps[at], field), delta=delta, msg=f"{chart} {label} {at}")
        self.browser.wait_for(f"document.querySelectorAll('#accuracies .dot.s2 circle').length === {len(evaluations)}",
                              "a point for each evaluation")
        # The newest point of the throughput is the server's own figure.
        self.assertAlmostEqual(float(self.browser.text("#throughput-chart .reading").replace(",", "")),
                               self.run_.ask("Status").examples_per_second, delta=1)

    def compare_staleness(self):
        staleness = self.run_.ask("Staleness")
        for name, histogram in (("attack", staleness.attack_staleness), ("update", staleness.update_staleness)):
            self.shows(f"#{name}-histogram .summary", f"({grouped(histogram.count)} units of work)")
            shown = {row[0]: row[1] for row in self.table(f"#{name}-histogram")}
            counts = {bucket.low: bucket.count for bucket in histogram.buckets}
            expected = {grouped(value): grouped(counts.get(value, 0)) for value in range(histogram.max + 1)}
            self.assertEqual(shown, expected, name)
        self.assertGreater(staleness.attack_cosine.units, 0)
        cosine = float(self.browser.text("#attack-cosine"))
        self.assertAlmostEqual(cosine, staleness.attack_cosine.newest, delta=1e-3)
        shown = {row[0]: row for row in self.table("#staleness-table")}
        self.assertEqual(set(shown), {HOSTILE_SHOWN, "plain"})
        for worker in staleness.workers:
            row = shown[HOSTILE_SHOWN if worker.name == HOSTILE else worker.name]
            attack = worker.attack_staleness
            self.assertAlmostEqual(float(row[2]), attack.sum / attack.count, delta=1e-3)
            self.assertEqual(row[3:5], [grouped(attack.p99), grouped(attack.max)])
            self.assertEqual(row[9:12], [grouped(count) for count in (worker.accepted, worker.duplicates, worker.rejected)])

    def compare_members(self):
        shown = {row[0]: row for row in self.table("#members-table")}
        members = {HOSTILE_SHOWN if member.name == HOSTILE else member.name: member for member in self.run_.ask("Workers").members}
        self.assertEqual(set(shown), set(members))
        for name in (HOSTILE_SHOWN, "plain"):
            member = members[name]
            leases = ", ".join(f"{unit.step}/{unit.slot}" for unit in member.leased[:6])
            self.assertTrue(shown[name][3].startswith(leases or "none"), shown[name])
            self.assertEqual(shown[name][2], "straggles" if member.straggles else "computes" if leases else "waits")
            self.assertEqual(shown[name][4], grouped(member.units_done))

    def compare_versions(self):
        shown = {int(row[0].replace(",", "")): row for row in self.table("#versions-table")}
        for made in self.run_.ask("Staleness").versions:
            contributors = [f"{HOSTILE_SHOWN if one.worker == HOSTILE else one.worker} × {one.slots}" for one in made.contributors]
            self.assertEqual(sorted(shown[made.version][3].split(", ")), sorted(contributors))
        kept = {snapshot.version: snapshot for snapshot in self.run_.ask("Snapshots").snapshots}
        self.assertEqual({version for version, row in shown.items() if row[4] != "no"}, set(kept))
        for version, snapshot in kept.items():
            self.assertEqual(shown[version][5], grouped(snapshot.pulls))
        newest = self.run_.ask("Status").checkpoint_version
        self.browser.wait_for(f"document.getElementById('checkpoint').value === '{newest}'", "the newest checkpoint")
        self.assertIn(grouped(newest), [row[0] for row in self.table("#checkpoints-table")])

    def look_at_360_pixels(self):
        self.browser.resize(360, 740)
        self.browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        wide = self.browser.evaluate("""(() => {
          const over = [...document.body.querySelectorAll('*')].filter(
            (one) => !one.closest('svg.key, .hidden-text') && one.getBoundingClientRect().right > innerWidth + 0.5);
          return {page: document.documentElement.scrollWidth, window: innerWidth, over: over.map((one) => one.outerHTML.slice(0, 120))};
        })()""")
        self.assertEqual(wide, {"page": 360, "window": 360, "over": []})
        self.browser.resize(1280, 900)

    def look_in_the_dark(self):
        def contrast():
            """The least of the texts' contrasts with what is behind them, as WCAG 2 counts it."""
            return self.browser.evaluate("""(() => {
              const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
              const light = (colour) => channels(colour).slice(0, 3).map((value) => value / 255).map(
                (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
                .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
              const behind = (one) => {
                for (; one; one = one.parentElement) {
                  const colour = getComputedStyle(one).backgroundColor;
                  if ((channels(colour)[3] ?? 1) > 0) return colour;
                }
              };
              const texts = [...document.querySelectorAll('p, dt, data, small, h1, h2, h3, th, td, li span, summary, a, svg text')];
              const of = (one) => {
                const style = getComputedStyle(one);
                const [a, b] = [light(one.closest('svg') ? style.fill : style.color), light(behind(one))];
                return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
              };
              return {least: Math.min(...texts.map(of)), ground: light(getComputedStyle(document.body).backgroundColor)};
            })()""")
        for scheme in ("light", "dark"):
            self.browser.prefer(scheme)
            seen = contrast()
            self.assertGreaterEqual(seen["least"], 4.5, scheme)
            self.assertEqual(seen["ground"] < 0.2, scheme == "dark")
        self.browser.prefer("light")

    def thin_a_long_run(self):
        seen = self.browser.evaluate("""(async () => {
          const {History} = await import('/history.js');
          const history = new History(1024);
          history.begin(0);
          const step = (version) => ({version: String(version), seconds: version / 100, clean_loss: version});
          for (let version = 1; version <= 100000; ++version) history.add(step(version));
          const long = history.versions();
          const losses = history.values('clean_loss');
          const speeds = history.speeds();
          const updates = history.points.reduce((sum, point) => sum + point.updates, 0);
          history.begin(50000);
          const void_ = history.versions().filter((version) => version > 50000).length;
          for (let version = 50001; version <= 50010; ++version) history.add(step(version));
          return {points: long.length, last: long.at(-1), rising: long.every((version, i) => i === 0 || version > long[i - 1]),
            updates, off: Math.max(...long.map((version, i) => Math.abs(version - losses[i]))), void_,
            slowest: Math.min(...speeds), fastest: Math.max(...speeds), newest: history.versions().at(-1), marks: history.marks};
        })()""")
        self.assertLessEqual(seen["points"], 1024)
        self.assertGreater(seen["points"], 256)
        self.assertEqual((seen["last"], seen["rising"], seen["updates"]), (100000, True, 100000))
        # A point is the mean over the versions that end with its own.
        self.assertLess(seen["off"], 100000 / 256)
        self.assertAlmostEqual(seen["slowest"], 100, delta=0.1)
        self.assertAlmostEqual(seen["fastest"], 100, delta=0.1)
        self.assertEqual((seen["void_"], seen["newest"], seen["marks"]), (0, 50010, [50000]))

    def kill_and_go_on(self):
        before = self.version()
        self.run_.kill_server()
        self.shows("#connection", "the server is away")
        self.shows("#retry", "asked again in")
        self.shows("#events-table", "the server does not answer")
        # What was known stays, and is not taken for new.
        self.assertEqual(self.version(), before)
        self.run_.start_server()
        self.run_.go_on()
        self.browser.wait_for("document.getElementById('connection').className === 'live'", "the server, back again")
        self.shows("#events-table", "the server answers again")
        self.shows("#events-table", f"the run went back from version {before} to version")

    def train_to_the_end(self):
        self.shows("#phase", "finished")
        self.browser.wait_for("document.getElementById('robust-accuracy').value !== ''", "the final evaluation")
        status = self.run_.ask("Status")
        self.assertEqual(status.version, STEPS)
        self.browser.wait_for(f"document.getElementById('clean-loss').value === String({status.clean_loss!r})", "the last loss")
        self.assertEqual(self.version(), STEPS)
        self.assertEqual(float(self.figure("robust-accuracy")), status.last_evaluation.robust_accuracy)
        # The records of the lineage that is over gave way: each version is there once.
        self.shows("#losses .at", f"version {STEPS}")
        points = self.browser.evaluate("document.querySelector('#losses .line.s0[d]:not(.key *)').getAttribute('d').split('L').length")
        self.assertEqual(points, STEPS)
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('#losses .marks line').length"), 1)
        self.run_.server.terminate()
        self.shows("#connection", "the run is over and its server has ended")


if __name__ == "__main__":
    BINARIES = pathlib.Path(sys.argv.pop(1))
    unittest.main()
