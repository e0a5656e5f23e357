// SPDX-License-Identifier: Apache-2.0
// The course of a run over its versions, in bounded memory: when there are more points than the
// limit, neighbours become one, with the mean of what they measured. Pure state.
import {number} from './format.js';

export const MEASURES = [
  'rate',
  'clean_loss',
  'clean_accuracy',
  'adversarial_loss',
  'adversarial_accuracy',
  'augmented_loss',
  'augmented_accuracy',
  'attack_loss',
  'attack_staleness',
  'update_staleness',
];

// Updates that the server's own figure of throughput is a mean over.
const THROUGHPUT_UPDATES = 63;
const MOST_MARKS = 32;

function pointOf(step, previous, lineage) {
  const point = {
    lineage,
    version: number(step.version),  // the newest in it
    updates: number(step.version) - previous.version,
    seconds: number(step.seconds) - previous.seconds,  // that they took
    sums: {},
    counts: {},
  };
  for (const measure of MEASURES) {
    const value = number(step[measure]);
    point.counts[measure] = Number.isFinite(value) ? 1 : 0;
    point.sums[measure] = Number.isFinite(value) ? value : 0;
  }
  return point;
}

function merge(older, newer) {
  older.version = newer.version;
  older.updates += newer.updates;
  older.seconds += newer.seconds;
  for (const measure of MEASURES) {
    older.sums[measure] += newer.sums[measure];
    older.counts[measure] += newer.counts[measure];
  }
}

export class History {
  constructor(limit = 1024) {
    this.limit = limit;
    this.clear();
  }

  clear() {
    this.points = [];
    this.marks = [];   // versions that the run went back to
    this.stride = 1;   // records that a point may hold
    this.filled = 0;   // of the newest point
    this.lineage = 0;  // counts them
    this.previous = {version: 0, seconds: 0};
  }

  // A lineage begins with this version: what came of later ones is void.
  begin(version) {
    const before = this.points.length;
    while (this.points.length > 0 && this.points.at(-1).version > version) this.points.pop();
    if (before > 0) this.marks = [...this.marks, version].slice(-MOST_MARKS);
    this.filled = this.stride;
    this.lineage += 1;
    this.previous = {version, seconds: 0};
  }

  // A MetricsRecord's step, newer than those before.
  add(step) {
    const point = pointOf(step, this.previous, this.lineage);
    if (point.updates <= 0) return;
    this.previous = {version: point.version, seconds: number(step.seconds)};
    if (this.filled < this.stride && this.points.length > 0) {
      merge(this.points.at(-1), point);
      this.filled += 1;
      return;
    }
    this.points.push(point);
    this.filled = 1;
    if (this.points.length > this.limit) this.thin();
  }

  thin() {
    const kept = [];
    for (const point of this.points) {
      const last = kept.at(-1);
      if (last !== undefined && last.half && last.lineage === point.lineage) {
        merge(last, point);
        last.half = false;
      } else {
        kept.push({...point, half: true});
      }
    }
    this.points = kept;
    // The newest point was new, with one record.
    this.filled = kept.at(-1).half ? 1 : this.stride + 1;
    this.stride *= 2;
  }

  versions() { return this.points.map((point) => point.version); }

  values(measure) {
    return this.points.map(
        (point) => point.counts[measure] === 0 ? NaN : point.sums[measure] / point.counts[measure]);
  }

  // Updates in a second at each point, as a mean over the newest updates of its lineage.
  speeds() {
    const speeds = [];
    let first = 0;
    let updates = 0;
    let seconds = 0;
    this.points.forEach((point, index) => {
      if (index > 0 && this.points[index - 1].lineage !== point.lineage) {
        first = index;
        updates = seconds = 0;
      }
      updates += point.updates;
      seconds += point.seconds;
      while (first < index && updates - this.points[first].updates >= THROUGHPUT_UPDATES) {
        updates -= this.points[first].updates;
        seconds -= this.points[first].seconds;
        first += 1;
      }
      speeds.push(seconds > 0 ? updates / seconds : NaN);
    });
    return speeds;
  }
}

// Evaluations by version, in bounded memory: of too many, every second one goes, the newest stays.
export class Evaluations {
  constructor(limit = 512) {
    this.limit = limit;
    this.clear();
  }

  clear() { this.items = []; }

  begin(version) { this.items = this.items.filter((item) => item.version <= version); }

  add(report) {
    const version = number(report.version);
    // The final one may be of a version that was evaluated before: it is the fuller one.
    this.items = this.items.filter((item) => item.version !== version);
    this.items.push({
      version,
      clean: number(report.clean_accuracy),
      robust: report.robust ? number(report.robust_accuracy) : NaN,
      warnings: report.warnings ?? [],
    });
    this.items.sort((one, other) => one.version - other.version);
    if (this.items.length > this.limit) {
      const last = this.items.length - 1;
      this.items = this.items.filter((item, index) => (last - index) % 2 === 0);
    }
  }
}
