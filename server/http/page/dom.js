// SPDX-License-Identifier: Apache-2.0
// The only place where elements are made. Text gets in as text, never as markup.
import {UNKNOWN} from './format.js';

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

export function byId(id) { return document.getElementById(id); }

// Leaves the element alone where nothing changes, so that selections stay and readers keep still.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A <data> element: the text for people, the value as the server said it.
export function setValue(element, value, text) {
  element.setAttribute('value', text === UNKNOWN ? '' : String(value));
  element.classList.toggle('unknown', text === UNKNOWN);
  setText(element, text);
}

// A table whose rows are told apart by a key and changed in place. It says its roles: on a phone
// its elements are laid out as cards, and browsers then forget them.
export class Table {
  // columns: {title, numeric?}; `empty` is what it says without rows. At most `most` rows are
  // shown.
  constructor(parent, {caption, columns, empty, most = 64}) {
    this.columns = columns;
    this.most = most;
    this.rows = new Map();
    this.body = html('tbody', {role: 'rowgroup'});
    this.note = html('p', {class: 'note'}, empty);
    this.empty = empty;
    const head = html(
        'tr', {role: 'row'},
        ...columns.map(
            ({title, numeric}) => html(
                'th', {scope: 'col', role: 'columnheader', class: numeric ? 'numeric' : ''},
                title)));
    this.table = html(
        'table', {role: 'table'}, html('caption', {class: 'hidden-text'}, caption),
        html('thead', {role: 'rowgroup'}, head), this.body);
    parent.append(this.table, this.note);
    this.update([]);
  }

  // rows: {key, cells}, a cell being text or an element that stays the same one.
  update(rows) {
    const shown = rows.slice(0, this.most);
    const left = rows.length - shown.length;
    const keys = new Set(shown.map(({key}) => key));
    for (const [key, row] of this.rows) {
      if (keys.has(key)) continue;
      row.remove();
      this.rows.delete(key);
    }
    shown.forEach(({key, cells}, index) => {
      let row = this.rows.get(key);
      if (row === undefined) {
        row = this.newRow();
        this.rows.set(key, row);
      }
      if (this.body.children[index] !== row) {
        this.body.insertBefore(row, this.body.children[index] ?? null);
      }
      cells.forEach((cell, column) => this.set(row.children[column], cell));
    });
    this.table.hidden = shown.length === 0;
    this.note.hidden = shown.length > 0 && left === 0;
    setText(this.note, left > 0 ? `and ${left} more` : this.empty);
  }

  newRow() {
    return html(
        'tr', {role: 'row'},
        ...this.columns.map(
            ({title, numeric}, index) => index === 0 ?
                html('th', {scope: 'row', role: 'rowheader', 'data-title': title}) :
                html('td', {role: 'cell', 'data-title': title, class: numeric ? 'numeric' : ''})));
  }

  set(place, cell) {
    if (typeof cell !== 'string') {
      if (place.firstChild !== cell) place.replaceChildren(cell);
      return;
    }
    place.classList.toggle('unknown', cell === UNKNOWN);
    setText(place, cell);
  }
}
