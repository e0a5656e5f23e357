// SPDX-License-Identifier: Apache-2.0
// Puts the page together: a run, who asks for it, and what shows it.
import {HistogramChart} from './bars.js';
import {byId} from './dom.js';
import {percent} from './format.js';
import {LineChart} from './line_chart.js';
import * as panels from './panels.js';
import {Poller} from './poller.js';
import {Run} from './run.js';
import {Timeline, versionsOf} from './timeline.js';

const run = new Run();

const losses = new LineChart(byId('losses'), {
  title: 'Losses',
  unit: 'mean cross-entropy, nats',
  least: 0,
  wide: true,
  series: [
    {name: 'clean_loss', label: 'clean'},
    {name: 'adversarial_loss', label: 'adversarial'},
    {name: 'augmented_loss', label: 'augmented'},
    {name: 'attack_loss', label: 'attack'},
  ],
});
const accuracies = new LineChart(byId('accuracies'), {
  title: 'Accuracies',
  unit: 'share of the images',
  least: 0,
  most: 1,
  format: percent,
  series: [
    {name: 'clean_accuracy', label: 'training, clean'},
    {name: 'adversarial_accuracy', label: 'training, adversarial'},
    {name: 'clean', label: 'test, clean', dots: true},
    {name: 'robust', label: 'test, robust', dots: true},
  ],
});
const throughput = new LineChart(byId('throughput-chart'), {
  title: 'Throughput',
  unit: 'examples/s, over 63 updates',
  least: 0,
  series: [{name: 'throughput', label: 'examples/s'}],
});
const rate = new LineChart(byId('rate-chart'), {
  title: 'Rate',
  unit: 'of the optimizer, no unit',
  least: 0,
  series: [{name: 'rate', label: 'rate'}],
});
const staleness = new LineChart(byId('staleness-chart'), {
  title: 'Staleness by version',
  unit: 'versions, mean over the contributions',
  least: 0,
  series:
      [{name: 'attack_staleness', label: 'attack'}, {name: 'update_staleness', label: 'update'}],
});
const attack = new HistogramChart(
    byId('attack-histogram'),
    {title: 'Attack staleness', unit: 'versions', counted: 'units of work', index: 0});
const update = new HistogramChart(
    byId('update-histogram'),
    {title: 'Update staleness', unit: 'versions', counted: 'units of work', index: 1});
const timeline = new Timeline(byId('timeline'));
const byWorker = new panels.StalenessTable(byId('staleness-table'));
const members = new panels.MembersTable(byId('members-table'));
const versions = new panels.VersionsTable(byId('versions-table'));
const checkpoints = new panels.CheckpointsTable(byId('checkpoints-table'));
const events = new panels.EventsTable(byId('events-table'));

const poller = new Poller(run, draw);

// Of a run that contributes no such stream they are not known.
const STREAM_OF = {
  clean_loss: 'clean',
  clean_accuracy: 'clean',
  adversarial_loss: 'adversarial',
  adversarial_accuracy: 'adversarial',
  augmented_loss: 'augmented',
  attack_loss: 'attack',
  attack_staleness: 'adversarial',
};

// The measures that this run has.
function linesOf(...names) {
  return names.filter((name) => STREAM_OF[name] === undefined || run.streams().has(STREAM_OF[name]))
      .map((name) => ({name, values: run.history.values(name)}));
}

// What was measured at each update and at some versions only, over one axis.
function accuracyLines() {
  const items = new Map(run.evaluations.items.map((item) => [item.version, item]));
  const updates = run.history.versions();
  const xs = [...new Set([...updates, ...items.keys()])].sort((one, other) => one - other);
  const places = new Map(updates.map((version, i) => [version, i]));
  const spread = ({name, values}) => ({name, values: xs.map((x) => values[places.get(x)])});
  return {
    xs,
    lines: [
      ...linesOf('clean_accuracy', 'adversarial_accuracy').map(spread),
      {name: 'clean', values: xs.map((x) => items.get(x)?.clean)},
      {name: 'robust', values: xs.map((x) => items.get(x)?.robust)},
    ],
  };
}

function drawCharts() {
  const [xs, marks] = [run.history.versions(), run.history.marks];
  losses.update({
    xs,
    marks,
    lines: linesOf('clean_loss', 'adversarial_loss', 'augmented_loss', 'attack_loss')
  });
  rate.update({xs, marks, lines: linesOf('rate')});
  staleness.update({xs, marks, lines: linesOf('attack_staleness', 'update_staleness')});
  accuracies.update({marks, ...accuracyLines()});
  const examples = run.known('examples_per_update') ?? NaN;
  throughput.update({
    xs,
    marks,
    lines: [
      {name: 'throughput', values: run.history.speeds().map((speed) => speed * examples)},
    ]
  });
}

function draw() {
  document.querySelector('main').hidden = false;
  panels.drawHead(run);
  panels.drawConnection(run, poller, Date.now());
  panels.drawProgress(run);
  panels.drawTrouble(run);
  panels.drawFigures(run);
  drawCharts();
  attack.update(run.staleness?.attack_staleness);
  update.update(run.staleness?.update_staleness);
  byWorker.draw(run);
  const known = versionsOf(run);
  timeline.update(known);
  versions.draw(known);
  panels.drawRetention(run);
  panels.drawCheckpoints(run);
  checkpoints.draw(run);
  members.draw(run);
  events.draw(run);
}

poller.start();
// The seconds until the server is asked again.
setInterval(() => {
  if (poller.lost !== undefined) panels.drawConnection(run, poller, Date.now());
}, 1000);
