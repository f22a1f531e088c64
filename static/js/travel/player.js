// Playing a run: time goes on at a multiple of its own pace, idle stretches are skipped.

const TICK = 250;
const SPEEDS = [1, 2, 5, 10, 30, 60];

export class Player {
  /** `go(ms)` shows an instant (ms since 1970) and returns a promise; `told(player)` hears of starts and stops. */
  constructor(go, told) {
    Object.assign(this, { go, told, speed: 1, playing: false });
  }

  /** The next speed; after 60× comes 1× again. */
  faster() {
    this.speed = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length];
    this.told(this);
  }

  stop() {
    if (!this.playing) return;
    this.playing = false;
    this.told(this);
  }

  /** Plays from an instant on, along an axis {start, span, cuts}; resolves at the end (true) or when stopped. */
  async play(from, axis) {
    this.playing = true;
    this.told(this);
    let [at, last] = [from, performance.now()];
    while (this.playing && at < axis.start + axis.span) {
      await this.go(at);
      await new Promise((done) => { setTimeout(done, Math.max(0, TICK - (performance.now() - last))); });
      const since = performance.now();
      at = skipped(at + (since - last) * this.speed, axis);
      last = since;
    }
    const ended = this.playing;
    this.stop();
    return ended;
  }
}

function skipped(at, { start, cuts }) {
  const gap = cuts.find(([from, to]) => at - start > from && at - start < to);
  return gap ? start + gap[1] : at;
}
