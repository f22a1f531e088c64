// One time axis for bars, path and lag: milliseconds since the run's start to pixels, idle stretches cut out.

import { dayOf, timeOfDay } from "../format.js";

const CUT = 30;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 15552000, 31536000];
const DAY = 86400;
const ROOM = 96;

export class Axis {
  /** `left` and `right` are where the axis begins and ends in pixels. */
  constructor({ start, span_ms: span, cuts }, left, right) {
    Object.assign(this, { start: Date.parse(start), span: Math.max(1, span), cuts, left, right });
    const kept = this.span - cuts.reduce((sum, [from, to]) => sum + to - from, 0);
    this.perMs = Math.max(40, right - left - cuts.length * CUT) / Math.max(1, kept);
  }

  /** Pixels of an instant (ms since the start). */
  x(ms) {
    const at = Math.min(this.span, Math.max(0, ms));
    let [x, reached] = [this.left, 0];
    for (const [from, to] of this.cuts) {
      if (at <= from) break;
      x += (from - reached) * this.perMs + (at < to ? (CUT * (at - from)) / (to - from) : CUT);
      if (at < to) return x;
      reached = to;
    }
    return x + (at - reached) * this.perMs;
  }

  /** The instant (ms since the start) at a pixel. */
  at(x) {
    let [low, high] = [0, this.span];
    for (let i = 0; i < 40; i += 1) {
      const middle = (low + high) / 2;
      if (this.x(middle) < x) low = middle;
      else high = middle;
    }
    return high;
  }

  /** The time of day at an instant, as fine as the axis; the day where ticks are days apart. */
  label(ms, decimals = 0) {
    if (this.step >= DAY) return dayOf(this.start + ms);
    const text = timeOfDay(this.start + ms, new Date(this.start + ms), decimals);
    return this.step >= 60 && !decimals ? text.slice(0, 5) : text;
  }

  /** Ticks {x, text} at round times, none in a cut, none too near to the end. */
  ticks() {
    this.step = STEPS.find((step) => step * 1000 * this.perMs >= ROOM) ?? STEPS.at(-1);
    const [each, zone] = [this.step * 1000, new Date(this.start).getTimezoneOffset() * 60000];
    const found = [];
    let last = -Infinity;
    for (let at = Math.ceil((this.start - zone) / each) * each + zone; at - this.start <= this.span && found.length < 40; at += each) {
      const ms = at - this.start;
      const cut = this.cuts.find(([from, to]) => ms >= from && ms <= to);
      if (cut) { at = Math.max(at, Math.ceil((this.start + cut[1] - zone) / each) * each + zone - each); continue; }
      const x = this.x(ms);
      if (x - last < ROOM * 0.7 || this.right - x < 44 || this.cuts.some(([from]) => Math.abs(this.x(from) + CUT / 2 - x) < 56)) continue;
      found.push({ x, text: this.label(ms) });
      last = x;
    }
    return found;
  }
}

export { CUT };
