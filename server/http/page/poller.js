// SPDX-License-Identifier: Apache-2.0
// Asks the server again and again: one request at a time, less often while it does not answer or
// nobody looks. Tells `run` what came, and `onChange` that something did.

const EVERY = 1000;          // milliseconds between two looks
const HIDDEN_EVERY = 10000;  // while the page is in the background
const MOST_BACK_OFF = 15000;
const PATIENCE = 10000;  // for an answer
// Many records come in parts, and not all in one look. After a short part there is little left.
const MOST_PARTS = 16;
const SHORT_PART = 64;

export function delayAfter(failures, hidden) {
  const delay = failures === 0 ? EVERY : Math.min(EVERY * 2 ** (failures - 1), MOST_BACK_OFF);
  return hidden ? Math.max(delay, HIDDEN_EVERY) : delay;
}

export class RefusedError extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

// Beside the page, wherever that is; fetch() refuses an address with a name and a password in it.
function addressOf(path) {
  const address = new URL(`api/v1/${path}`, document.baseURI);
  address.username = address.password = '';
  return address;
}

async function get(path) {
  const response = await fetch(addressOf(path), {
    cache: 'no-store',
    credentials: 'same-origin',
    signal: AbortSignal.timeout(PATIENCE),
  });
  if (!response.ok) {
    const text = (await response.text()).trim().slice(0, 500);
    throw new RefusedError(response.status, text);
  }
  return response.json();
}

export class Poller {
  constructor(run, onChange) {
    this.run = run;
    this.onChange = onChange;
    this.failures = 0;
    this.lost = undefined;     // since when the server does not answer
    this.refusal = undefined;  // what it said instead of an answer
    this.nextAt = undefined;   // when it is asked again
    this.heard = undefined;    // when it last answered
    this.timer = undefined;
    this.looks = 0;
    for (const event of ['visibilitychange', 'online']) {
      const target = event === 'online' ? window : document;
      target.addEventListener(event, () => {
        if (!document.hidden) this.soon();
      });
    }
  }

  start() { this.look(); }

  // Now, unless a look is under way.
  soon() {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.look();
  }

  async look() {
    this.timer = undefined;
    this.nextAt = undefined;
    try {
      await this.ask();
      this.heardFrom();
    } catch (error) {
      this.missed(error);
    }
    const delay = delayAfter(this.failures, document.hidden);
    this.nextAt = Date.now() + delay;
    this.timer = setTimeout(() => this.look(), delay);
    this.onChange();
  }

  async ask() {
    const run = this.run;
    run.takeStatus(await get('status'), Date.now());
    await this.askMetrics();
    // These are larger, and change less.
    if (this.looks % 2 === 0 || this.failures > 0) {
      run.takeStaleness(await get('staleness'));
      run.takeWorkers(await get('workers'), Date.now());
      run.snapshots = await get('snapshots');
      run.takeCheckpoints(await get('checkpoints'), Date.now());
    }
    this.looks += 1;
  }

  async askMetrics() {
    if (this.run.lineage === undefined) return;
    for (let part = 0; part < MOST_PARTS; ++part) {
      const before = this.run.next;
      let metrics;
      try {
        metrics = await get(`metrics?after=${before}&lineage=${this.run.lineage}`);
      } catch (error) {
        // The lineage ended meanwhile: the next status says which one it is now.
        if (error instanceof RefusedError && ![401, 403].includes(error.status)) return;
        throw error;
      }
      this.run.takeMetrics(metrics, Date.now());
      if ((metrics.records ?? []).length < SHORT_PART) return;
    }
  }

  heardFrom() {
    const now = Date.now();
    if (this.lost !== undefined) this.run.say(now, 'server', 'the server answers again');
    this.failures = 0;
    this.lost = undefined;
    this.refusal = undefined;
    this.heard = now;
  }

  missed(error) {
    const now = Date.now();
    this.failures += 1;
    this.refusal = error instanceof RefusedError ? error : undefined;
    if (this.lost !== undefined) return;
    this.lost = now;
    // After the end of the run there is nobody to be missed.
    if (this.run.over()) return;
    this.run.say(
        now, 'server',
        this.refusal === undefined ?
            'the server does not answer' :
            `the server gives no answer: ${this.refusal.message || this.refusal.status}`);
  }
}
