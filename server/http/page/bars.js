// SPDX-License-Identifier: Apache-2.0
// Histograms of whole numbers, as the servers' Histogram message has them: one for all in full, and
// small ones to stand in tables.
import {html, setText, svg} from './dom.js';
import {decimal, number, plural, whole} from './format.js';

const HEIGHT = 150;
const LEFT = 46;
const RIGHT = 10;
const TOP = 18;
const BOTTOM = 22;
const MOST_BARS = 16;
const SMALL_WIDTH = 96;
const SMALL_HEIGHT = 20;

function given(histogram) {
  return (histogram?.buckets ?? [])
      .map(({low, high, count}) => ({low: number(low), high: number(high), count: number(count)}));
}

// {low, high, count}: each number from 0 on where few bars hold them; else those that are there,
// and the last of too many stands for all that follow.
export function bucketsOf(histogram) {
  const buckets = given(histogram);
  const highest = buckets.at(-1)?.high ?? 0;
  if (buckets.length > 0 && highest < MOST_BARS) {
    const counts = new Map(buckets.map(({low, count}) => [low, count]));
    return Array.from(
        {length: highest + 1},
        (_, value) => ({low: value, high: value, count: counts.get(value) ?? 0}));
  }
  if (buckets.length <= MOST_BARS) return buckets;
  const rest = buckets.slice(MOST_BARS - 1);
  const count = rest.reduce((sum, bucket) => sum + bucket.count, 0);
  return [...buckets.slice(0, MOST_BARS - 1), {low: rest[0].low, high: rest.at(-1).high, count}];
}

function rangeText({low, high}) {
  return low === high ? whole(low) : `${whole(low)}–${whole(high)}`;
}

export function meanOf(histogram) {
  const count = number(histogram?.count);
  return count === 0 ? undefined : number(histogram.sum) / count;
}

// "mean 1, half ≤ 1, 99 % ≤ 1, most 1".
export function summary(histogram) {
  if (number(histogram?.count) === 0) return 'nothing yet';
  return `mean ${decimal(meanOf(histogram))}, half ≤ ${whole(number(histogram.p50))}, ` +
      `99 % ≤ ${whole(number(histogram.p99))}, most ${whole(number(histogram.max))}`;
}

// What is there is seen, however little it is.
function barHeight(share, room) { return share > 0 ? Math.max(1, share * room) : 0; }

export class HistogramChart {
  // `index` is the colour; `unit` that of the values, and `counted` what is counted.
  constructor(parent, {title, unit, counted, index}) {
    Object.assign(this, {title, counted, index, histogram: undefined});
    this.bars = svg('g');
    this.plot = svg('svg', {class: 'plot', role: 'img', height: HEIGHT}, this.bars);
    this.line = html('p', {class: 'summary'});
    this.body = html('tbody');
    const table = html(
        'table', {class: 'plain'},
        html(
            'thead', {},
            html('tr', {}, html('th', {scope: 'col'}, unit), html('th', {scope: 'col'}, counted))),
        this.body);
    parent.append(
        html(
            'figcaption', {}, html('h3', {}, title),
            html('span', {class: 'unit'}, `${counted} by ${unit}`)),
        this.plot, this.line,
        html(
            'details', {}, html('summary', {}, 'as a table'), html('div', {class: 'rows'}, table)));
    this.update(undefined);
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  update(histogram) {
    this.histogram = histogram;
    const count = number(histogram?.count);
    setText(
        this.line,
        count === 0 ? 'nothing yet' : `${summary(histogram)} (${plural(count, 'unit')} of work)`);
    this.plot.setAttribute('aria-label', `${this.title}: ${this.line.textContent}`);
    this.body.replaceChildren(...bucketsOf(histogram).map(
        (bucket) => html(
            'tr', {}, html('th', {scope: 'row'}, rangeText(bucket)),
            html('td', {class: 'numeric'}, whole(bucket.count)))));
    this.draw();
  }

  draw() {
    const width = this.plot.clientWidth;
    if (width === 0) return;
    const buckets = bucketsOf(this.histogram);
    if (buckets.length === 0) {
      this.bars.replaceChildren(
          svg('text', {class: 'nothing', x: width / 2, y: HEIGHT / 2, 'text-anchor': 'middle'},
              'nothing yet'));
      return;
    }
    const most = Math.max(...buckets.map(({count}) => count), 1);
    const pitch = (width - LEFT - RIGHT) / Math.max(buckets.length, 4);
    const every = Math.ceil(44 / pitch);
    const parts = [svg(
        'line',
        {class: 'axis', x1: LEFT, x2: width - RIGHT, y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM})];
    buckets.forEach((bucket, i) => {
      const height = barHeight(bucket.count / most, HEIGHT - TOP - BOTTOM);
      const x = LEFT + i * pitch;
      parts.push(svg('rect', {
        class: `s${this.index} bar`,
        x: x + 2,
        width: Math.max(1, pitch - 4),
        y: HEIGHT - BOTTOM - height,
        height
      }));
      if (i % every !== 0) return;
      parts.push(
          svg('text', {x: x + pitch / 2, y: HEIGHT - 6, 'text-anchor': 'middle'},
              rangeText(bucket)),
          svg('text', {x: x + pitch / 2, y: HEIGHT - BOTTOM - height - 4, 'text-anchor': 'middle'},
              whole(bucket.count)));
    });
    this.bars.replaceChildren(...parts);
  }
}

// Bars alone: what they say stands beside them. Redrawn by `updateSmall`.
export function smallHistogram() {
  return svg(
      'svg', {class: 'small', width: SMALL_WIDTH, height: SMALL_HEIGHT, 'aria-hidden': 'true'});
}

// `end`: the axis goes from 0 to it, the same for all that are compared.
export function updateSmall(plot, histogram, index, end) {
  const buckets = given(histogram);
  const most = Math.max(...buckets.map(({count}) => count), 1);
  const pitch = Math.min(12, SMALL_WIDTH / (end + 1));
  plot.replaceChildren(...buckets.map(({low, high, count}) => {
    const height = barHeight(count / most, SMALL_HEIGHT);
    return svg('rect', {
      class: `s${index} bar`,
      x: low * pitch,
      y: SMALL_HEIGHT - height,
      height,
      width: Math.max(1, (high - low + 1) * pitch - 1)
    });
  }));
}
