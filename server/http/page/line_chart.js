// SPDX-License-Identifier: Apache-2.0
// Lines over versions, in one SVG that follows its element's width. What the pointer or the arrow
// keys choose is read from the legend; a table has the same points for whoever cannot see them.
import {html, setText, svg} from './dom.js';
import {decimal, UNKNOWN, whole} from './format.js';

const HEIGHT = 180;
const LEFT = 46;
const RIGHT = 10;
const TOP = 8;
const BOTTOM = 22;
const TABLE_ROWS = 20;
const WIDE = 100;  // what is that many times as much is not seen beside it

// About `count` round numbers that cover [low, high].
export function ticks(low, high, count) {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) {
    found.push(Number((i * step).toPrecision(12)));
  }
  return found;
}

// Round numbers of a logarithmic axis: powers of 10, and 2 and 5 times them where few are in it.
function logTicks(low, high) {
  const factors = high / low < 1000 ? [1, 2, 5] : [1];
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); ++power) {
    for (const factor of factors) {
      const tick = factor * 10 ** power;
      if (tick >= low && tick <= high) found.push(Number(tick.toPrecision(3)));
    }
  }
  return found;
}

// The index of the value that is nearest to `x` in a rising list.
export function nearest(xs, x) {
  let low = 0;
  let high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x)
      low = middle;
    else
      high = middle;
  }
  return xs.length > 1 && Math.abs(xs[high] - x) < Math.abs(xs[low] - x) ? high : low;
}

// The least and the greatest value that the lines have.
function extentOf(lines) {
  let low = Infinity;
  let high = -Infinity;
  for (const values of lines) {
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return low > high ? [0, 1] : [low, high];
}

// From where to where the axis goes, and whether it is logarithmic: `wide` allows it.
function axisOf(lines, {least, most, wide}) {
  let [low, high] = extentOf(lines);
  if (wide && low > 0 && high / low > WIDE) return {low: low / 1.1, high: high * 1.1, log: true};
  // Near 0 it is the better floor.
  if (low > 0 && low < 0.4 * high) low = 0;
  const margin = (high - low || Math.abs(high) || 1) * 0.05;
  if (low !== 0) low -= margin;
  high += margin;
  return {
    low: Math.max(low, least ?? -Infinity),
    high: Math.min(high, most ?? Infinity),
    log: false
  };
}

export class LineChart {
  // series: {name, label, dots?}; they have the colours s0, s1, … of the style sheet. `unit` is
  // that of the values; `least` and `most` bound the axis, `wide` lets it be logarithmic.
  constructor(parent, {title, unit, series, least, most, wide = false, format = decimal}) {
    Object.assign(this, {title, unit, series, bounds: {least, most, wide}, format});
    this.lines = new Map();
    this.xs = [];
    this.chosen = undefined;
    this.build(parent);
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  build(parent) {
    this.grid = svg('g', {class: 'grid'});
    this.marks = svg('g', {class: 'marks'});
    this.curves = svg('g');
    this.cursor =
        svg('line', {class: 'cursor', visibility: 'hidden', y1: TOP, y2: HEIGHT - BOTTOM});
    this.nothing =
        svg('text', {class: 'nothing', 'text-anchor': 'middle', y: HEIGHT / 2}, 'nothing yet');
    this.plot =
        svg('svg', {class: 'plot', role: 'img', tabindex: 0, height: HEIGHT}, this.grid, this.marks,
            this.curves, this.cursor, this.nothing);
    this.at = html('span', {class: 'at'});
    this.scale = html('span', {class: 'unit'}, this.unit);
    this.legend = html('ul', {class: 'legend'});
    this.readings = new Map();
    this.entries = new Map();
    this.series.forEach(({name, label, dots}, index) => {
      const key =
          svg('svg', {class: 'key', width: 22, height: 10, 'aria-hidden': 'true'},
              dots ? svg('circle', {class: `s${index} dot`, cx: 11, cy: 5, r: 3.5}) :
                     svg('path', {class: `s${index} line`, d: 'M0 5H22'}));
      const reading = html('span', {class: 'reading'});
      this.readings.set(name, reading);
      const entry = html('li', {}, key, html('span', {}, label), reading);
      this.entries.set(name, entry);
      this.legend.append(entry);
    });
    this.body = html('div', {class: 'rows'});
    this.details = html('details', {}, html('summary', {}, 'as a table'), this.body);
    this.details.addEventListener('toggle', () => this.drawTable());
    parent.append(
        html('figcaption', {}, html('h3', {}, this.title), this.scale, this.at), this.plot,
        this.legend, this.details);
    this.listen();
  }

  listen() {
    this.plot.addEventListener('pointermove', (event) => {
      if (this.xs.length === 0) return;
      const at = event.clientX - this.plot.getBoundingClientRect().left;
      this.choose(nearest(this.xs, this.toX(at)));
    });
    this.plot.addEventListener('pointerleave', () => this.choose(undefined));
    this.plot.addEventListener('blur', () => this.choose(undefined));
    this.plot.addEventListener('keydown', (event) => {
      const last = this.xs.length - 1;
      const from = this.chosen ?? last;
      const to = {ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last}[event.key];
      if (to === undefined || last < 0) return;
      event.preventDefault();
      this.choose(Math.max(0, Math.min(last, to)));
    });
  }

  // xs: rising versions. lines: for each series {name, values}: NaN where nothing is known, which
  // is a gap, and undefined where nothing was measured, which is none. A series that is not among
  // them is none of this run's. marks: versions that the run went back to.
  update({xs, lines, marks}) {
    this.xs = xs;
    this.lines = new Map(lines.map((line) => [line.name, line.values]));
    this.marked = marks;
    for (const [name, entry] of this.entries) entry.hidden = !this.lines.has(name);
    if (this.chosen !== undefined && this.chosen >= xs.length) this.chosen = undefined;
    this.draw();
    this.drawTable();
  }

  shown() { return this.series.filter(({name}) => this.lines.get(name)?.some(Number.isFinite)); }

  draw() {
    const width = this.plot.clientWidth;
    if (width === 0) return;
    this.width = width;
    const shown = this.shown();
    this.nothing.setAttribute('x', (LEFT + width - RIGHT) / 2);
    this.nothing.setAttribute('visibility', shown.length === 0 ? 'visible' : 'hidden');
    this.axis = axisOf(shown.map(({name}) => this.lines.get(name)), this.bounds);
    setText(this.scale, this.axis.log ? `${this.unit}, logarithmic` : this.unit);
    this.drawGrid();
    this.marks.replaceChildren(
        ...(this.marked ?? [])
            .filter((version) => version >= this.xs[0] && version <= this.xs.at(-1))
            .map(
                (version) => svg(
                    'line',
                    {x1: this.xOf(version), x2: this.xOf(version), y1: TOP, y2: HEIGHT - BOTTOM})));
    this.curves.replaceChildren(...shown.map((series) => this.drawLine(series)));
    this.drawReadings();
  }

  drawGrid() {
    const {low, high, log} = this.axis;
    const lines = [];
    for (const tick of log ? logTicks(low, high) : ticks(low, high, 5)) {
      const y = this.yOf(tick);
      lines.push(
          svg('line', {x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y}),
          svg('text', {x: LEFT - 6, y: y + 4, 'text-anchor': 'end'}, this.format(tick)));
    }
    if (this.xs.length > 0) {
      for (const tick of ticks(this.xs[0], this.xs.at(-1), Math.max(2, this.width / 110))) {
        if (!Number.isInteger(tick)) continue;
        lines.push(
            svg('text', {x: this.xOf(tick), y: HEIGHT - 5, 'text-anchor': 'middle'}, whole(tick)));
      }
    }
    this.grid.replaceChildren(...lines);
  }

  drawLine({name, dots}) {
    const index = this.series.findIndex((series) => series.name === name);
    const values = this.lines.get(name);
    if (dots) {
      return svg(
          'g', {class: `s${index} dot`},
          ...values.flatMap(
              (value, i) => Number.isFinite(value) ? [svg('circle', {
                cx: this.xOf(this.xs[i]).toFixed(1),
                cy: this.yOf(value).toFixed(1),
                r: 3.5
              })] :
                                                     []));
    }
    let path = '';
    let pen = 'M';
    values.forEach((value, i) => {
      if (value === undefined) return;
      if (!Number.isFinite(value)) {
        pen = 'M';
        return;
      }
      path += `${pen}${this.xOf(this.xs[i]).toFixed(1)} ${this.yOf(value).toFixed(1)}`;
      pen = 'L';
    });
    // A point alone is seen by its round end.
    return svg('path', {class: `s${index} line`, d: path.includes('L') ? path : `${path}h0.01`});
  }

  // The newest value of each series, or the last one measured up to what is chosen.
  drawReadings() {
    const index = this.chosen ?? this.xs.length - 1;
    const readings = this.series.filter(({name}) => this.lines.has(name)).map(({name, label}) => {
      const values = this.lines.get(name);
      let at = index;
      while (at >= 0 && values[at] === undefined) --at;
      const text = this.format(values[at]);
      setText(this.readings.get(name), text);
      return `${label} ${text}`;
    });
    const version = this.xs[index];
    setText(this.at, version === undefined ? '' : `version ${whole(version)}`);
    this.plot.setAttribute(
        'aria-label',
        version === undefined ?
            `${this.title}: nothing yet` :
            `${this.title} in ${this.unit} at version ${whole(version)}: ${readings.join(', ')}`);
    this.cursor.setAttribute('visibility', this.chosen === undefined ? 'hidden' : 'visible');
    if (this.chosen === undefined) return;
    this.cursor.setAttribute('x1', this.xOf(version));
    this.cursor.setAttribute('x2', this.xOf(version));
  }

  drawTable() {
    if (!this.details.open) return;
    const count = Math.min(TABLE_ROWS, this.xs.length);
    const last = this.xs.length - 1;
    const indices = Array.from(
        {length: count}, (_, i) => count === 1 ? last : Math.round(last - i * last / (count - 1)));
    const series = this.series.filter(({name}) => this.lines.has(name));
    const cell = (text) =>
        html('td', {class: text === UNKNOWN ? 'unknown numeric' : 'numeric'}, text);
    this.body.replaceChildren(html(
        'table', {class: 'plain'},
        html(
            'thead', {},
            html(
                'tr', {}, html('th', {scope: 'col'}, 'version'),
                ...series.map(({label}) => html('th', {scope: 'col'}, label)))),
        html(
            'tbody', {},
            ...indices.map(
                (index) => html(
                    'tr', {}, html('th', {scope: 'row'}, whole(this.xs[index])),
                    ...series.map(({name}) => cell(this.format(this.lines.get(name)[index]))))))));
  }

  choose(index) {
    this.chosen = index;
    this.drawReadings();
  }

  xOf(version) {
    const span = this.xs.at(-1) - this.xs[0] || 1;
    return LEFT + (version - this.xs[0]) / span * (this.width - LEFT - RIGHT);
  }

  toX(at) {
    const span = this.xs.at(-1) - this.xs[0] || 1;
    return this.xs[0] + (at - LEFT) / (this.width - LEFT - RIGHT) * span;
  }

  yOf(value) {
    const {low, high, log} = this.axis;
    const share =
        log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low || 1);
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  }
}
