// Time travel: where the page stands in its run's past, and every way to go elsewhere. While it is in the past the
// run's pictures are asked for as of that position, live changes are counted only, and actions are off.

import * as api from "../api.js";
import { hold, now } from "../clock.js";
import { playing, say, wrong } from "./bar.js";
import { controls } from "./controls.js";
import { guard } from "./guard.js";
import { Player } from "./player.js";
import { Scrubber } from "./scrubber.js";

const EVERY = 5000;
const iso = (ms) => new Date(ms).toISOString();

export class Travel {
  /** `bar` is the scrubber's region, `path` the run's address in the API. `draw(row)` shows the run as it was, and
   *  `live()` as it is; both return promises. */
  constructor(bar, path, { draw, live }) {
    Object.assign(this, { bar, path, draw, back: live, here: null, missed: 0, wanted: null, moving: null, asked: -EVERY, every: EVERY, timer: null });
    this.track = bar.querySelector(".track");
    this.scrubber = new Scrubber(this.track);
    this.player = new Player((ms) => this.go(iso(ms)), (player) => playing(bar, player));
    controls(this);
    guard(() => this.past, (words) => this.wrong(words));
    this.astray = bar.querySelector(".said").textContent;
    if (bar.dataset.at) this.arrive(bar.dataset.at);
    this.refresh();
  }

  get past() {
    return this.at !== undefined && this.at !== null;
  }

  /** The run changed: its marks are asked for again after a while, and counted while the page is in the past. */
  touch(changes) {
    if (this.past) {
      this.missed += changes;
      return this.say();
    }
    const wait = Math.max(0, this.asked + this.every - performance.now());
    this.timer ??= setTimeout(() => { this.timer = null; this.refresh(); }, wait);
    return undefined;
  }

  async refresh() {
    this.asked = performance.now();
    try {
      this.marks = await api.get(`${this.path}/positions`);
      // What takes long is asked for seldom, so that a large live run costs the server no more than a small one.
      this.every = Math.max(EVERY, 20 * (performance.now() - this.asked));
      this.bar.hidden = !this.marks.start;
      this.scrubber.show(this.marks);
      this.say();
    } catch (error) {
      console.warn("no marks", error);
    }
  }

  /** Goes to a position or a time; while one move is under way only the last wish of all that follow is heard. */
  go(to) {
    this.wanted = to;
    this.moving ??= this.busy(this.follow()).finally(() => { this.moving = null; });
    return this.moving;
  }

  async busy(work) {
    this.bar.setAttribute("aria-busy", "true");
    try {
      await work;
    } finally {
      this.bar.setAttribute("aria-busy", "false");
    }
  }

  async follow() {
    while (this.wanted) {
      const to = this.wanted;
      this.wanted = null;
      try {
        const row = await api.get(this.path, { at: to });
        this.stand(row.as_of.position, row.as_of);
        await this.draw(row);
      } catch (error) {
        this.wrong(error.message);
      }
    }
  }

  /** The page came as of a position, as its address says. */
  async arrive(at) {
    this.stand(at, null);
    const row = await api.get(this.path);
    if (this.at === at) this.stand(row.as_of.position, row.as_of);
  }

  /** Notes where the page stands; everything that is asked for from now on is asked as of there. */
  stand(at, here) {
    Object.assign(this, { at, here, astray: "" });
    api.asOf(this.path, at);
    hold(here ? Date.parse(here.time) : null);
    document.documentElement.classList.toggle("past", this.past);
    document.dispatchEvent(new CustomEvent("travel", { detail: at }));
    const address = new URL(location.href);
    if (at) address.searchParams.set("at", at);
    else address.searchParams.delete("at");
    history.replaceState(null, "", address);
    if (!this.scrubber.held) this.scrubber.place(here ? Date.parse(here.time) : null);
    this.say();
  }

  /** Back to the present. */
  async live() {
    this.player.stop();
    this.wanted = null;
    await this.moving;
    if (!this.past) return this.scrubber.place(null);
    this.missed = 0;
    this.stand(null, null);
    return this.busy(Promise.all([this.back(), this.refresh()]));
  }

  /** One event, or one failure, before or after where the page stands. */
  async step(which) {
    this.player.stop();
    const here = this.here ?? (await api.get(this.path, { at: iso(now()) })).as_of;
    if (here[which]) return this.go(here[which]);
    return which === "next" && this.past ? this.live() : undefined;
  }

  async toggle() {
    if (this.player.playing) return this.player.stop();
    const { axis } = this.scrubber;
    if (!axis) return undefined;
    const from = this.here ? Date.parse(this.here.time) : axis.start;
    return (await this.player.play(from, axis)) && this.live();
  }

  wrong(words) {
    wrong(this.bar, words);
  }

  say() {
    say(this.bar, this);
  }
}
