// The foot of a review: what may be clicked, the post, undo and revoke.
// Approve and edit stay off until the whole payload was on the screen. Nothing says "saved" before it is.

import { post, Problem } from "./api.js";
import { now } from "./clock.js";
import { CONSENT, Drawer } from "./drawer.js";
import { receipt } from "./receipt.js";
import { tell } from "./told.js";

const at = (id) => document.getElementById(id);
const UNSEEN = "Approve opens once you have seen everything down to the hash.";

export class Decision {
  constructor(page, form) {
    this.page = page;
    this.form = form;
    this.opened = performance.now();
    this.drawer = new Drawer(page, form);
    this.seen = false;
    this.frozen = page.dataset.open === "";
    this.key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    form.addEventListener("submit", (event) => this.submitted(event));
    at("cancel").addEventListener("click", () => { this.drawer.close(); this.say(""); });
    at("undo").addEventListener("click", () => this.undo());
    at("revoke").addEventListener("click", () => this.revoke());
    // Where the foot lies over the page (phones), what is under it was not seen.
    const lies = ["fixed", "sticky"].includes(getComputedStyle(form).position);
    const covered = lies ? Math.max(0, innerHeight - form.getBoundingClientRect().top) : 0;
    new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      this.seen = true;
      this.paint();
    }, { rootMargin: `0px 0px ${8 - covered}px 0px` }).observe(at("payload-end"));
    this.paint();
  }

  paint() {
    const reasons = new Set();
    for (const button of this.form.querySelectorAll("button[name=decision]")) {
      const unseen = CONSENT.includes(button.value) && !this.seen ? UNSEEN : "";
      const reason = button.dataset.off || unseen;
      button.disabled = this.frozen || Boolean(reason);
      if (reason) reasons.add(reason);
    }
    if (this.frozen) return;
    at("off").hidden = !reasons.size;
    at("off").textContent = [...reasons].join(" ");
  }

  /** Nothing can be decided any more; `words` say why, unless this very page decided. */
  freeze(words) {
    if (this.frozen) return;
    this.frozen = true;
    at("off").hidden = !words;
    tell(at("off"), words);
    this.drawer.close();
    this.paint();
  }

  say(words, bad = false) {
    at("outcome").hidden = !words;
    tell(at("outcome"), words);
    at("outcome").classList.toggle("late", bad);
  }

  submitted(event) {
    event.preventDefault();
    if (this.frozen) return undefined;
    const decision = this.drawer.chosen ?? event.submitter?.value;
    if (this.drawer.asks(decision)) return this.drawer.open(decision);
    const reason = this.drawer.wrong(decision);
    return reason ? this.say(reason, true) : void this.decide(decision);
  }

  async decide(decision) {
    const { id, version, hash } = this.page.dataset;
    const body = {
      decision, request_version: Number(version), content_hash: hash, comment: at("comment").value,
      args_json: decision === "edit" ? at("args").value : "",
      opened_payload: this.seen, dwell_ms: Math.round(performance.now() - this.opened),
    };
    this.frozen = true;
    this.paint();
    try {
      this.saved(await post(`approvals/${encodeURIComponent(id)}/decisions`, body, this.key));
    } catch (error) {
      this.refused(error);
    }
  }

  saved(answer) {
    this.drawer.close();
    at("off").hidden = true;
    at("receipt-words").textContent = answer.final ? `${answer.word} by you` : answer.standing;
    receipt(at("receipt"), answer.final ? answer : null);
    this.say(answer.final ? "Saved." : `Your vote is saved. ${answer.standing}`);
    if (answer.standing) at("standing").textContent = answer.standing;
    at("hint").textContent = "";
    at("note").hidden = true;
    if (at("no-votes")) at("no-votes").textContent = "Your vote is in.";
    for (const name of ["claim-button", "release-button"]) if (at(name)) at(name).hidden = true;
    this.page.classList.toggle("settled", answer.final);
    const left = Date.parse(answer.held_until ?? "") - now();
    at("undo").hidden = !(left > 0);
    at("undo").dataset.id = answer.decision_id ?? "";
    if (left > 0) setTimeout(() => { at("undo").hidden = true; }, left);
  }

  /** The receipt as it is now: whether the agent can still be asked not to act. */
  follow(row) {
    at("revoke").hidden = !row.revocable || !at("revoke").dataset.may;
    at("revoke").dataset.id = row.decision_id;
  }

  refused(error) {
    this.frozen = error instanceof Problem && [409, 422].includes(error.status) && error.body.code !== "invalid_decision";
    if (error.body?.code === "request_changed") at("stale").hidden = false;
    this.say(error instanceof Problem ? error.message : "The server cannot be reached. Nothing is known of this click; try again, it counts once.", true);
    if (this.frozen) at("off").hidden = true;
    this.paint();
  }

  async undo() {
    await this.act("undo", at("undo").dataset.id, {}, () => location.reload());
  }

  async revoke() {
    await this.act("revoke", at("revoke").dataset.id, { reason: at("comment").value }, () => {
      at("revoke").hidden = true;
      this.say("Asked the agent not to act on it. Its answer will stand here.");
    });
  }

  async act(what, id, body, then) {
    try {
      await post(`decisions/${encodeURIComponent(id)}/${what}`, body);
      then();
    } catch (error) {
      this.say(error.message, true);
    }
  }
}
