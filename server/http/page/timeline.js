// SPDX-License-Identifier: Apache-2.0
// The newest versions side by side: who contributed how many slots to each, which are still kept to
// be pulled, and which are in a checkpoint.
import {html, setText, svg} from './dom.js';
import {number, plural, printable, whole} from './format.js';

const HEIGHT = 150;
const LEFT = 46;
const RIGHT = 10;
const TOP = 8;
const BARS_END = 102;
const KEPT = 108;        // the row of what is kept
const CHECKPOINT = 120;  // and that of checkpoints
const LEAST_PITCH = 14;
const MOST_COLOURS = 7;  // workers with a colour of their own; the others share one

// What is known of each version, oldest first: {version, step, published, slots: [[worker, slots]],
// bytes?, pulls?, checkpoint}.
export function versionsOf({made, snapshots, checkpoints}) {
  const versions = new Map();
  const at = (version) => {
    if (!versions.has(version)) versions.set(version, {version, slots: [], checkpoint: false});
    return versions.get(version);
  };
  for (const [version, record] of made) {
    Object.assign(at(version), {
      step: number(record.step),
      published: number(record.published_unix_micros) / 1000,
      slots:
          (record.contributors ?? []).map(({worker, slots}) => [printable(worker), number(slots)]),
    });
  }
  for (const snapshot of snapshots?.snapshots ?? []) {
    Object.assign(at(number(snapshot.version)), {
      published: number(snapshot.published_unix_micros) / 1000,
      bytes: number(snapshot.bytes),
      pulls: number(snapshot.pulls),
    });
  }
  for (const {version} of checkpoints?.checkpoints ?? []) at(number(version)).checkpoint = true;
  return [...versions.values()].sort((one, other) => one.version - other.version);
}

export function contributorsText({slots, version}) {
  if (slots.length === 0) return version === 0 ? 'the initial weights' : undefined;
  return slots.map(([worker, count]) => `${worker} × ${whole(count)}`).join(', ');
}

export class Timeline {
  constructor(parent) {
    this.versions = [];
    this.bars = svg('g');
    this.plot = svg('svg', {class: 'plot', role: 'img', height: HEIGHT}, this.bars);
    this.legend = html('ul', {class: 'legend'});
    this.at = html('span', {class: 'at'});
    this.colours = new Map();
    parent.append(
        html(
            'figcaption', {}, html('h3', {}, 'Versions'),
            html(
                'span', {class: 'unit'},
                'slots by worker, of those seen; below: kept ■, in a checkpoint ▲'),
            this.at),
        this.plot, this.legend);
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  update(versions) {
    this.versions = versions.filter(({slots, bytes}) => slots.length > 0 || bytes !== undefined);
    this.colour();
    this.draw();
  }

  // A worker keeps its colour for as long as it is there.
  colour() {
    const workers = new Set(this.versions.flatMap(({slots}) => slots.map(([worker]) => worker)));
    for (const worker of this.colours.keys())
      if (!workers.has(worker)) this.colours.delete(worker);
    for (const worker of [...workers].sort()) {
      if (this.colours.has(worker)) continue;
      const used = new Set(this.colours.values());
      const free = Array.from({length: MOST_COLOURS}, (_, i) => i).find((i) => !used.has(i));
      this.colours.set(worker, free ?? MOST_COLOURS);
    }
    const own =
        [...this.colours].filter(([, index]) => index < MOST_COLOURS).sort(([, one], [
                                                                             , other
                                                                           ]) => one - other);
    const others = this.colours.size - own.length;
    const entries = own.map(([worker, index]) => [worker, index]);
    if (others > 0) entries.push([plural(others, 'other'), MOST_COLOURS]);
    while (this.legend.children.length > entries.length) this.legend.lastChild.remove();
    entries.forEach(([text, index], i) => {
      if (this.legend.children[i] === undefined) {
        this.legend.append(html(
            'li', {},
            svg('svg', {class: 'key', width: 12, height: 12, 'aria-hidden': 'true'},
                svg('rect', {width: 12, height: 12})),
            html('span')));
      }
      const [key, name] = this.legend.children[i].children;
      key.firstChild.setAttribute('class', `s${index} bar`);
      setText(name, text);
    });
  }

  draw() {
    const width = this.plot.clientWidth;
    if (width === 0) return;
    const room = width - LEFT - RIGHT;
    const shown = this.versions.slice(-Math.max(1, Math.floor(room / LEAST_PITCH)));
    if (shown.length === 0) {
      this.bars.replaceChildren(
          svg('text', {class: 'nothing', x: width / 2, y: HEIGHT / 2, 'text-anchor': 'middle'},
              'nothing yet'));
      this.plot.setAttribute('aria-label', 'Versions: nothing yet');
      return;
    }
    const pitch = Math.min(40, room / shown.length);
    const every = Math.ceil(60 / pitch);
    const most =
        Math.max(1, ...shown.map(({slots}) => slots.reduce((sum, [, count]) => sum + count, 0)));
    const parts = [
      svg('line', {class: 'axis', x1: LEFT, x2: width - RIGHT, y1: BARS_END, y2: BARS_END}),
      svg('text', {x: LEFT - 6, y: TOP + 8, 'text-anchor': 'end'}, whole(most)),
      svg('text', {x: LEFT - 6, y: KEPT + 8, 'text-anchor': 'end'}, 'kept'),
    ];
    shown.forEach((version, i) => {
      const x = LEFT + i * pitch;
      parts.push(this.drawVersion(version, x, pitch, most));
      if ((shown.length - 1 - i) % every === 0) {
        parts.push(
            svg('text', {x: x + pitch / 2, y: HEIGHT - 5, 'text-anchor': 'middle'},
                whole(version.version)));
      }
    });
    this.bars.replaceChildren(...parts);
    const newest = shown.at(-1);
    this.plot.setAttribute(
        'aria-label',
        `Versions ${whole(shown[0].version)} to ` +
            `${whole(newest.version)}; the newest is of ${
                contributorsText(newest) ?? 'unknown origin'}. ` +
            'A table below has them all.');
  }

  drawVersion(version, x, pitch, most) {
    const group =
        svg('g', {},
            svg('title', {},
                `version ${whole(version.version)}: ${
                    contributorsText(version) ?? 'contributors unknown'}`));
    let y = BARS_END;
    for (const [worker, count] of version.slots) {
      const height = count / most * (BARS_END - TOP);
      y -= height;
      group.append(svg('rect', {
        class: `s${this.colours.get(worker)} bar`,
        x: x + 1.5,
        width: Math.max(2, pitch - 3),
        y: y + 0.5,
        height: Math.max(1, height - 1)
      }));
    }
    const middle = x + pitch / 2;
    if (version.bytes !== undefined) {
      group.append(svg('rect', {class: 'kept', x: middle - 4, y: KEPT, width: 8, height: 8}));
    }
    if (version.checkpoint) {
      group.append(svg('path', {class: 'checkpoint', d: `M${middle} ${CHECKPOINT}l4.5 8h-9z`}));
    }
    return group;
  }
}
