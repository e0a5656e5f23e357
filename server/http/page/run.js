// SPDX-License-Identifier: Apache-2.0
// What is known of the run, from what the server answered, and what happened to it meanwhile.
// State without sockets, clocks or elements: `now` comes in, in milliseconds.
import {number, plural, printable, whole} from './format.js';
import {Evaluations, History} from './history.js';

const MOST_EVENTS = 100;
const MOST_MADE = 128;
const MOST_NAMED = 5;  // of the workers that come or go at once

// What a server says, which may hold what a peer chose.
function sentence(text) { return printable(text, 1000); }

// Without its figures: a warning that counts on is still the same one.
function gist(text) { return (text ?? '').replace(/[\d.,e+-]+/g, '#'); }

// Two states of one run, or of two?
function sameRun(status, other) {
  return ['job', 'algorithm', 'consistency', 'tau', 'shard', 'shards'].every(
      (field) => status[field] === other[field]);
}

export class Run {
  constructor() {
    this.history = new History();
    this.evaluations = new Evaluations();
    this.events = [];  // newest first: {key, at, kind, text}
    this.eventsMade = 0;
    this.forget();
  }

  forget() {
    this.history.clear();
    this.evaluations.clear();
    this.status = undefined;
    this.staleness = undefined;
    this.made = new Map();  // of the newest versions that were seen, who made them
    this.workers = undefined;
    this.snapshots = undefined;
    this.checkpoints = undefined;
    this.lineage = undefined;
    this.next = 0;             // index of the first metrics record that is not here yet
    this.present = undefined;  // workers by id
  }

  say(now, kind, text) {
    this.eventsMade += 1;
    this.events.unshift({key: this.eventsMade, at: now, kind, text});
    this.events.length = Math.min(this.events.length, MOST_EVENTS);
  }

  takeStatus(status, now) {
    const before = this.status;
    if (before !== undefined && !sameRun(before, status)) {
      this.say(now, 'run', `another run is served here now: ${printable(status.job)}`);
      this.forget();
    }
    const version = this.version();
    this.status = status;
    if (number(status.lineage) !== 0 && status.lineage !== this.lineage) {
      this.beginLineage(version, now);
    }
    for (const [field, kind] of [['warning', 'warning'], ['checkpoint_error', 'fault']]) {
      if (status[field] && gist(status[field]) !== gist(before?.[field])) {
        this.say(now, kind, sentence(status[field]));
      }
    }
    if (status.phase === 'RESTORING' && before?.phase !== 'RESTORING') {
      this.say(now, 'fault', sentence(status.message || 'the shards go back to a checkpoint'));
    }
    if (status.phase === 'FINISHED' && before?.phase !== 'FINISHED') {
      this.say(now, 'run', `the run is over, with version ${whole(number(status.version))}`);
    }
  }

  beginLineage(version, now) {
    const restored = number(this.status.restored_version);
    if (this.lineage !== undefined && version !== undefined) {
      this.say(
          now, 'roll-back',
          `the run went back from version ${whole(version)} to version ` +
              `${whole(restored)}; what came after it is computed again`);
    } else if (restored > 0) {
      this.say(now, 'run', `the run went on from the checkpoint of version ${whole(restored)}`);
    }
    this.lineage = this.status.lineage;
    this.next = 0;
    this.history.begin(restored);
    this.evaluations.begin(restored);
    for (const version of this.made.keys())
      if (version > restored) this.made.delete(version);
  }

  takeStaleness(staleness) {
    this.staleness = staleness;
    // The server remembers those that it keeps; between two looks there may be more.
    for (const record of staleness.versions ?? []) this.made.set(number(record.version), record);
    const versions = [...this.made.keys()].sort((one, other) => one - other);
    for (const version of versions.slice(0, -MOST_MADE)) this.made.delete(version);
  }

  // Of /api/v1/metrics, asked with `next` and `lineage`.
  takeMetrics({records = [], next}, now) {
    for (const record of records) {
      if (record.step !== undefined) this.history.add(record.step);
      if (record.evaluation === undefined) continue;
      this.evaluations.add(record.evaluation);
      for (const warning of record.evaluation.warnings ?? []) {
        this.say(
            now, 'warning',
            `evaluation of version ${whole(number(record.evaluation.version))}: ` +
                sentence(warning));
      }
    }
    this.next = number(next);
  }

  takeCheckpoints(checkpoints, now) {
    const key = ({version, reason}) => `${version} ${reason}`;
    const before = new Set((this.checkpoints?.refused ?? []).map(key));
    for (const refused of (checkpoints.refused ?? [])
             .filter((one) => !before.has(key(one)))
             .slice(0, MOST_NAMED)) {
      this.say(
          now, 'fault',
          `checkpoint of version ${whole(number(refused.version))} is not used: ` +
              sentence(refused.reason));
    }
    this.checkpoints = checkpoints;
  }

  takeWorkers(workers, now) {
    this.workers = workers;
    const present = new Map((workers.members ?? []).map((member) => [member.worker_id, member]));
    if (this.present !== undefined) {
      const came = [...present].filter(([id]) => !this.present.has(id)).map(([, member]) => member);
      const went = [...this.present].filter(([id]) => !present.has(id)).map(([, member]) => member);
      this.sayMembers(came, 'joined', 'worker', now);
      this.sayMembers(went, 'left or was lost', 'worker', now);
      const slow = [...present].filter(
          ([id, member]) => member.straggles && this.present.get(id)?.straggles !== true);
      this.sayMembers(slow.map(([, member]) => member), 'straggles', 'warning', now);
    }
    this.present = present;
  }

  sayMembers(members, what, kind, now) {
    for (const member of members.slice(0, MOST_NAMED)) {
      this.say(now, kind, `${printable(member.name)} ${what}`);
    }
    if (members.length > MOST_NAMED) {
      this.say(now, kind, `${plural(members.length - MOST_NAMED, 'more member')}: ${what}`);
    }
  }

  coordinates() { return this.status !== undefined && number(this.status.shard) === 0; }

  // Shards other than 0 do not know.
  phase() {
    if (!this.coordinates()) return undefined;
    return this.status.phase ?? 'WAITING_FOR_SHARDS';
  }

  // A figure of the status that is not known where it is 0.
  known(field) { return number(this.status?.[field]) || undefined; }

  // None before there are weights.
  version() {
    const begun = ['TRAINING', 'EVALUATING', 'FINISHED'].includes(this.status?.phase);
    return this.known('version') ?? (begun ? 0 : undefined);
  }

  // The last update is done: what ends now is no fault.
  over() {
    const final = this.known('final_version');
    return this.phase() === 'FINISHED' || (final !== undefined && this.version() >= final);
  }

  // Whether this lineage has made an update, so that there is something measured.
  updated() {
    return this.version() !== undefined && this.version() > number(this.status.restored_version);
  }

  streams() { return new Set(this.status?.streams ?? []); }

  // A figure of the newest update.
  ofUpdate(field) { return this.updated() ? number(this.status[field]) : undefined; }

  secondsLeft() {
    const speed = this.history.speeds().at(-1);
    const final = this.known('final_version');
    if (this.phase() !== 'TRAINING' || final === undefined || !(speed > 0)) return undefined;
    return (final - this.version()) / speed;
  }
}
