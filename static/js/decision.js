// The foot of a review: what may be clicked, the post, undo.
// Approve and edit stay off until the whole payload was on the screen. Nothing says "saved" before it is.

import { post, Problem } from "./api.js";
import { now } from "./clock.js";
import { CONSENT, Drawer } from "./drawer.js";
import { receipt } from "./receipt.js";

const at = (id) => document.getElementById(id);

export class Decision {
  constructor(page, form) {
    this.page = page;
    this.form = form;
    this.drawer = new Drawer(page, form);
    this.seen = false;
    this.frozen = page.dataset.open === "";
    this.key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
    form.addEventListener("submit", (event) => this.submitted(event));
    at("cancel").addEventListener("click", () => { this.drawer.close(); this.say(""); });
    at("undo").addEventListener("click", () => this.undo());
    new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      this.seen = true;
      this.paint();
    }, { rootMargin: "0px 0px 8px 0px" }).observe(at("payload-end"));
    this.paint();
  }

  paint() {
    for (const button of this.form.querySelectorAll("button[name=decision]")) {
      button.disabled = this.frozen || (CONSENT.includes(button.value) && !this.seen);
    }
    if (this.frozen) return;
    at("off").hidden = this.seen;
    at("off").textContent = this.seen ? "" : "Approve opens once you have seen everything down to the hash.";
  }

  /** Nothing can be decided any more; `words` say why, unless this very page decided. */
  freeze(words) {
    if (this.frozen) return;
    this.frozen = true;
    at("off").hidden = !words;
    at("off").textContent = words;
    this.drawer.close();
    this.paint();
  }

  say(words, bad = false) {
    at("outcome").hidden = !words;
    at("outcome").textContent = words;
    at("outcome").classList.toggle("late", bad);
  }

  submitted(event) {
    event.preventDefault();
    const decision = event.submitter?.value ?? this.drawer.chosen;
    if (this.drawer.asks(decision)) return this.drawer.open(decision);
    const reason = this.drawer.wrong(decision);
    return reason ? this.say(reason, true) : void this.decide(decision);
  }

  async decide(decision) {
    const { id, version, hash } = this.page.dataset;
    const body = { decision, request_version: Number(version), content_hash: hash, comment: at("comment").value, args: null };
    try {
      if (decision === "edit") body.args = JSON.parse(at("args").value);
    } catch (error) {
      return this.say(`The arguments are not JSON: ${error.message}`, true);
    }
    this.frozen = true;
    this.paint();
    try {
      this.saved(await post(`approvals/${encodeURIComponent(id)}/decisions`, body, this.key));
    } catch (error) {
      this.refused(error);
    }
    return undefined;
  }

  saved(answer) {
    this.drawer.close();
    at("receipt-words").textContent = answer.final ? `${answer.word}, by you` : answer.standing;
    receipt(at("receipt"), answer.final ? answer : null);
    this.say(answer.final ? "Saved." : `Your vote is saved. ${answer.standing}`);
    if (answer.standing) at("standing").textContent = answer.standing;
    at("hint").textContent = "";
    this.page.classList.toggle("settled", answer.final);
    const left = Date.parse(answer.held_until ?? "") - now();
    at("undo").hidden = !(left > 0);
    at("undo").dataset.id = answer.decision_id ?? "";
    if (left > 0) setTimeout(() => { at("undo").hidden = true; }, left);
  }

  refused(error) {
    this.frozen = error instanceof Problem && [409, 422].includes(error.status) && error.body.code !== "invalid_decision";
    if (error.body?.code === "request_changed") at("stale").hidden = false;
    this.say(error instanceof Problem ? error.message : "The server cannot be reached. Nothing is known of this click; try again, it counts once.", true);
    this.paint();
  }

  async undo() {
    try {
      await post(`decisions/${encodeURIComponent(at("undo").dataset.id)}/undo`, {});
      location.reload();
    } catch (error) {
      this.say(error.message, true);
    }
  }
}
