// SPDX-License-Identifier: Apache-2.0
// What stands on the page beside the charts: the head, the figures, the tables. Each is told the
// run and shows what it knows of it.
import {meanOf, smallHistogram, updateSmall} from './bars.js';
import {byId, setText, setValue, Table} from './dom.js';
import {bytes, clock, decimal, duration, number, percent, plural, printable, UNKNOWN, whole, words,} from './format.js';
import {contributorsText} from './timeline.js';

// A 64-bit figure that is left out when it is 0.
const count = (value) => whole(number(value));

export function drawHead(run) {
  const status = run.status;
  if (status === undefined) return;
  const job = printable(status.job) || 'a job without a name';
  setText(byId('job'), job);
  document.title = `${job} – conadv`;
  const facts = [status.algorithm, status.consistency, `τ = ${number(status.tau)}`];
  if (number(status.shards) > 1) facts.push(`shard ${number(status.shard)} of ${status.shards}`);
  setText(byId('facts'), facts.map((fact) => printable(fact)).join(' · '));
  setText(byId('tau'), String(number(status.tau)));
  byId('elsewhere').hidden = run.coordinates();
}

// Whether the server answers, for screen readers too, and when it is asked again, for eyes alone:
// that changes every second.
export function drawConnection(run, poller, now) {
  const seconds = (span) => `${whole(Math.max(0, Math.ceil(span / 1000)))} s`;
  let [state, text, retry] = ['live', 'live', ''];
  if (run.status === undefined) [state, text] = ['away', 'asking the server'];
  if (poller.lost !== undefined) {
    [state, text] = ['away', 'the server is away'];
    if (poller.refusal !== undefined)
      text = refusalText(poller.refusal);
    else if (run.over())
      [state, text] = ['over', 'the run is over and its server has ended'];
    const next = poller.nextAt === undefined ? 'asking now' :
                                               `asked again in ${seconds(poller.nextAt - now)}`;
    retry = `for ${seconds(now - poller.lost)}; ${next}`;
  }
  const connection = byId('connection');
  connection.className = state;
  setText(connection, text);
  setText(byId('retry'), retry);
}

function refusalText({status, message}) {
  if ([401, 403].includes(status)) return `the server wants a token: reload the page (${message})`;
  return `the server says: ${message || status}`;
}

export function drawProgress(run) {
  const [version, final] = [run.version(), run.known('final_version')];
  const bar = byId('progress');
  if (version === undefined || final === undefined) {
    bar.removeAttribute('value');
  } else {
    bar.max = Math.max(1, final);
    bar.value = version;
  }
  const parts = [`version ${whole(version)} of ${whole(final)}`];
  if (run.coordinates())
    parts.push(`step ${count(run.status.step)} of ${whole(run.known('steps'))}`);
  const left = run.secondsLeft();
  if (left !== undefined) parts.push(`about ${duration(left)} to go`);
  setText(byId('progress-text'), parts.join(' · '));
}

export function drawTrouble(run) {
  const status = run.status ?? {};
  const trouble =
      [
        ['warning', status.warning],
        ['a checkpoint could not be written', status.checkpoint_error],
        ['', run.phase() === 'TRAINING' || run.phase() === 'FINISHED' ? '' : status.message],
      ].filter(([, text]) => text)
          .map(([what, text]) => (what ? `${what}: ${text}` : text));
  // What is wrong while it trains is said by the server in its message too.
  if (trouble.length === 0 && status.message) trouble.push(status.message);
  const place = byId('trouble');
  place.classList.toggle('wrong', Boolean(status.warning || status.checkpoint_error));
  setText(place, trouble.map((text) => text.slice(0, 1000)).join(' · ') || 'no warnings');
}

// The newest version that the run could go back to now; on other shards than 0, the newest of
// theirs.
function checkpointOf(run) {
  const checkpoints = run.checkpoints;
  if (checkpoints === undefined) return undefined;
  if (run.coordinates())
    return checkpoints.has_common ? number(checkpoints.common_version) : undefined;
  const newest = checkpoints.checkpoints?.[0];
  return newest === undefined ? undefined : number(newest.version);
}

export function drawFigures(run) {
  const status = run.status ?? {};
  const streams = run.streams();
  const figure = (id, value, format) => setValue(byId(id), value ?? '', format(value));
  const phase = run.phase();
  setValue(byId('phase'), phase, phase === undefined ? UNKNOWN : words(phase));
  figure('version', run.version(), whole);
  figure('throughput', run.known('examples_per_second'), decimal);
  for (const stream of ['clean', 'adversarial', 'augmented']) {
    const has = streams.has(stream);
    byId(`${stream}-loss`).closest('div').hidden = !has && run.status !== undefined;
    figure(`${stream}-loss`, has ? run.ofUpdate(`${stream}_loss`) : undefined, decimal);
  }
  const evaluation = status.last_evaluation;
  const clean = evaluation === undefined ? undefined : number(evaluation.clean_accuracy);
  figure('clean-accuracy', clean, percent);
  figure(
      'robust-accuracy', evaluation?.robust ? number(evaluation.robust_accuracy) : undefined,
      percent);
  setText(byId('evaluated'), evaluation === undefined ? '' : `at ${count(evaluation.version)}`);
  figure('rate', run.ofUpdate('rate'), decimal);
  const attacked = number(run.staleness?.attack_staleness?.count) > 0;
  figure('attack-staleness', attacked ? number(status.attack_staleness_mean) : undefined, decimal);
  const cosine = run.staleness?.attack_cosine;
  figure('attack-cosine', cosine ? number(cosine.newest) : undefined, decimal);
  const contributed = number(run.staleness?.update_staleness?.count) > 0;
  figure(
      'update-staleness', contributed ? number(status.update_staleness_mean) : undefined, decimal);
  figure('workers-count', run.coordinates() ? number(status.workers) : undefined, whole);
  const limit = run.known('memory_limit_bytes');
  figure('memory', limit === undefined ? undefined : number(status.memory_bytes), bytes);
  setText(byId('memory-limit'), limit === undefined ? '' : `of ${bytes(limit)}`);
  figure('checkpoint', checkpointOf(run), whole);
  figure('seconds', run.known('seconds'), duration);
}

// The part of a table that is a small histogram and its mean.
class StalenessCells {
  constructor() { this.plots = new Map(); }

  of(key, histogram, index, end) {
    if (!this.plots.has(key)) this.plots.set(key, smallHistogram());
    const plot = this.plots.get(key);
    updateSmall(plot, histogram, index, end);
    const quantile = (name) => (number(histogram?.count) === 0 ? UNKNOWN : count(histogram[name]));
    return [plot, decimal(meanOf(histogram)), quantile('p99'), quantile('max')];
  }

  keep(keys) {
    for (const key of this.plots.keys())
      if (!keys.has(key)) this.plots.delete(key);
  }
}

export class StalenessTable {
  constructor(parent) {
    this.cells = new StalenessCells();
    this.table = new Table(parent, {
      caption: 'Attack and update staleness by worker, in versions',
      empty: 'No worker has contributed yet.',
      columns: [
        {title: 'worker'},
        {title: 'attack'},
        {title: 'attack mean', numeric: true},
        {title: 'attack 99 % ≤', numeric: true},
        {title: 'attack most', numeric: true},
        {title: 'update'},
        {title: 'update mean', numeric: true},
        {title: 'update 99 % ≤', numeric: true},
        {title: 'update most', numeric: true},
        {title: 'accepted', numeric: true},
        {title: 'duplicate', numeric: true},
        {title: 'rejected', numeric: true},
      ],
    });
  }

  draw(run) {
    const workers = [...(run.staleness?.workers ?? [])].sort(
        (one, other) => Number(other.present ?? false) - Number(one.present ?? false));
    const endOf = (name) => Math.max(1, ...workers.map((worker) => number(worker[name]?.max)));
    const [attackEnd, updateEnd] = [endOf('attack_staleness'), endOf('update_staleness')];
    const keys = new Set();
    const rows = workers.slice(0, this.table.most).map((worker) => {
      const [attack, update] = [`attack ${worker.name}`, `update ${worker.name}`];
      keys.add(attack).add(update);
      const gone = run.coordinates() && !worker.present;
      return {
        key: worker.name,
        cells: [
          printable(worker.name) + (gone ? ' (gone)' : ''),
          ...this.cells.of(attack, worker.attack_staleness, 0, attackEnd),
          ...this.cells.of(update, worker.update_staleness, 1, updateEnd),
          count(worker.accepted),
          count(worker.duplicates),
          count(worker.rejected),
        ],
      };
    });
    this.cells.keep(keys);
    this.table.update([...rows, ...workers.slice(this.table.most)]);
  }
}

// What a member is doing, in a word or two.
function stateOf(member, run) {
  if (member.straggles) return 'straggles';
  if (member.role !== undefined && member.role !== 'WORKER') return 'present';
  if ((member.leased ?? []).length > 0) return 'computes';
  return run.over() ? 'done' : 'waits';
}

function leasesText(member) {
  const units = (member.leased ?? []).map(({step, slot}) => `${number(step)}/${number(slot)}`);
  const shown = units.slice(0, 6).join(', ');
  return units.length > 6 ? `${shown} and ${units.length - 6} more` : shown || 'none';
}

export class MembersTable {
  constructor(parent) {
    this.table = new Table(parent, {
      caption: 'Members of the run',
      empty: 'No members are known here.',
      columns: [
        {title: 'name'},
        {title: 'role'},
        {title: 'state'},
        {title: 'leases (step/slot)'},
        {title: 'units done', numeric: true},
        {title: 'last heard', numeric: true},
        {title: 'here for', numeric: true},
        {title: 'threads', numeric: true},
        {title: 'from'},
      ],
    });
  }

  draw(run) {
    // Of many, those that need looking at first.
    const members = [...(run.workers?.members ?? [])].sort(
        (one, other) => Number(other.straggles ?? false) - Number(one.straggles ?? false));
    this.table.update(members.map((member) => {
      const role = member.role ?? 'WORKER';
      const works = role === 'WORKER';
      return {
        key: member.worker_id,
        cells: [
          printable(member.name),
          words(role),
          stateOf(member, run),
          works ? leasesText(member) : '–',
          works ? count(member.units_done) : '–',
          `${duration(number(member.seconds_since_message))} ago`,
          duration(number(member.seconds_joined)),
          works ? count(member.threads) : '–',
          printable(member.peer),
        ],
      };
    }));
  }
}

export class VersionsTable {
  constructor(parent) {
    this.table = new Table(parent, {
      caption: 'The newest versions, newest first',
      empty: 'No version yet.',
      columns: [
        {title: 'version'},
        {title: 'step', numeric: true},
        {title: 'published'},
        {title: 'made by (slots)'},
        {title: 'kept', numeric: true},
        {title: 'pulls', numeric: true},
        {title: 'checkpoint'},
      ],
    });
  }

  draw(versions) {
    this.table.update([...versions].reverse().map(
        (version) => ({
          key: version.version,
          cells: [
            whole(version.version),
            version.version === 0 ? '–' : whole(version.step),
            version.published === undefined ? UNKNOWN : clock(version.published),
            contributorsText(version) ?? UNKNOWN,
            version.bytes === undefined ? 'no' : bytes(version.bytes),
            version.bytes === undefined ? '–' : whole(version.pulls),
            version.checkpoint ? 'yes' : 'no',
          ],
        })));
  }
}

export class CheckpointsTable {
  constructor(parent) {
    this.table = new Table(parent, {
      caption: 'Checkpoints of this shard, newest first',
      empty: 'This shard has no checkpoint.',
      columns: [{title: 'version', numeric: true}, {title: 'state'}, {title: 'what'}],
    });
  }

  draw(run) {
    const {checkpoints = [], refused = []} = run.checkpoints ?? {};
    const common = checkpointOf(run);
    this.table.update([
      ...checkpoints.map(({version}) => ({
                           key: `usable ${number(version)}`,
                           cells: [
                             count(version), 'usable',
                             run.coordinates() && number(version) === common ?
                                 'the newest that every shard has: what the run would go back to' :
                                 ''
                           ],
                         })),
      ...refused.map(({version, reason}) => ({
                       key: `refused ${number(version)}`,
                       cells: [count(version), 'not used', printable(reason, 300)],
                     })),
    ]);
  }
}

export function drawCheckpoints(run) {
  const known = run.checkpoints;
  if (known === undefined) return;
  const parts =
      [known.directory ? `in ${printable(known.directory, 300)}` : 'this shard keeps none'];
  parts.push(
      `${count(known.written)} written and ${count(known.failed)} failed since this server began`);
  if (number(known.written) > 0) {
    parts.push(`the last one ${duration(number(known.seconds_since_last))} ago, in ${
        duration(number(known.last_seconds))}`);
  }
  setText(byId('checkpoints'), parts.join('; '));
}

export class EventsTable {
  constructor(parent) {
    this.table = new Table(parent, {
      caption: 'What happened while this page was open, newest first',
      empty: 'Nothing happened since this page was opened.',
      columns: [{title: 'time'}, {title: 'what'}, {title: 'event'}],
    });
  }

  draw(run) {
    this.table.update(
        run.events.map(({key, at, kind, text}) => ({key, cells: [clock(at), kind, text]})));
  }
}

export function drawRetention(run) {
  const snapshots = run.snapshots;
  setText(
      byId('retention'),
      snapshots === undefined ?
          UNKNOWN :
          `${plural((snapshots.snapshots ?? []).length, 'version')} of at most ${
              count(snapshots.retain)} kept; ` +
              `${plural(number(snapshots.waiting_pulls), 'pull')} waiting for a version to come.`);
}
