// SPDX-License-Identifier: Apache-2.0
// Values as people read them. Pure functions; what is not known is undefined, and reads "unknown".

export const UNKNOWN = 'unknown';

const grouped = new Intl.NumberFormat('en', {maximumFractionDigits: 0});

// protobuf's JSON leaves out what is 0, and writes 64-bit integers and NaN as strings.
export function number(value) { return value === undefined ? 0 : Number(value); }

// A number with what `text` makes of it; undefined and what is no number are not known.
function known(value, text) {
  return value === undefined || !Number.isFinite(value) ? UNKNOWN : text(value);
}

export function whole(value) { return known(value, (known) => grouped.format(known)); }

// Four significant digits, without an exponent where that is short.
export function decimal(value) {
  return known(value, (known) => {
    const size = Math.abs(known);
    if (size >= 1e7 || (size > 0 && size < 1e-4)) return known.toExponential(2);
    if (size >= 1000) return grouped.format(known);
    return String(Number(known.toPrecision(4)));
  });
}

export function percent(value) { return known(value, (known) => `${(100 * known).toFixed(1)} %`); }

export function bytes(value) {
  return known(value, (known) => {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let unit = 0;
    let amount = known;
    for (; amount >= 1024 && unit + 1 < units.length; ++unit) amount /= 1024;
    return `${amount < 10 && unit > 0 ? amount.toFixed(1) : Math.round(amount)} ${units[unit]}`;
  });
}

export function duration(value) {
  return known(value, (known) => {
    if (known < 0.0005) return `${Math.round(known * 1e6)} µs`;
    if (known < 1) return `${Math.round(known * 1000)} ms`;
    if (known < 60) return `${known < 10 ? known.toFixed(1) : Math.round(known)} s`;
    if (known < 3600) return `${Math.floor(known / 60)} min ${Math.floor(known % 60)} s`;
    return `${Math.floor(known / 3600)} h ${Math.floor((known % 3600) / 60)} min`;
  });
}

export function clock(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString([], {hour12: false});
}

const MOST_NAME = 80;  // characters

// What a peer chose to be called: without what would act on the text around it, and not endless.
export function printable(name, most = MOST_NAME) {
  const plain = String(name ?? '')
                    .replace(
                        /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
                        (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
  const characters = Array.from(plain);
  return characters.length <= most ? plain : `${characters.slice(0, most).join('')}…`;
}

// "TRAINING" as "training".
export function words(constant) { return constant.toLowerCase().replaceAll('_', ' '); }

export function plural(count, word) { return `${whole(count)} ${word}${count === 1 ? '' : 's'}`; }
