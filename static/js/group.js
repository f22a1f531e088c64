// The chosen group: verdict with its facts, chart with its table, waiting tasks by run, members and their history.

import { get } from "./api.js";
import { lagChart } from "./charts.js";
import { fill } from "./fill.js";
import { count, duration } from "./format.js";
import { chip } from "./marks.js";

const EVERY = 3000;
const at = (id) => document.getElementById(id);
const record = (place) => `/records/${encodeURIComponent(place.topic)}/${place.partition}/${place.offset}/`;
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;

export class Group {
  constructor(chosen, detail) {
    this.chosen = chosen;
    this.chart = lagChart(at("lag-chart"), chosen.group);
    this.asked = performance.now();
    this.press("data-reach", (name) => this.chart.reach(name));
    this.press("data-of", (name) => this.chart.of(name));
    at("as-table").addEventListener("click", () => this.table());
    this.show(chosen);
    this.detail(detail);
  }

  press(name, act) {
    const buttons = [...document.querySelectorAll(`[${name}]`)];
    for (const button of buttons) {
      button.addEventListener("click", async () => {
        for (const each of buttons) each.setAttribute("aria-pressed", String(each === button));
        await act(button.getAttribute(name));
        this.points();
      });
    }
  }

  /** A newer row: what it says is shown at once; partitions, waiting tasks and history are asked for again. */
  touch(row) {
    this.show({ ...this.chosen, ...row });
    this.chart.touch();
    if (document.hidden || performance.now() - this.asked < EVERY) return;
    this.asked = performance.now();
    this.refresh().catch(() => {});
  }

  async refresh() {
    const path = `agents/${encodeURIComponent(this.chosen.group)}`;
    const [row, waiting, changes] = await Promise.all([get(path), get(`${path}/waiting`), get(`${path}/changes`)]);
    this.show(row);
    this.detail({ waiting: waiting.items, blocked: waiting.blocked_by, changes: changes.items });
  }

  show(row) {
    const chosen = this.chosen = row;
    fill(at("chosen"), { ...chosen, heading: `Why ${chosen.verdict.state}?`, pairs: this.pairs(chosen) });
    chip(at("chosen-chip"), chosen.chip);
    at("chosen-eta").textContent = chosen.eta;
    this.partitions(chosen);
    this.members(chosen);
    this.heads(chosen.heads ?? []);
    const polled = at("chosen-as-of");
    polled.setAttribute("datetime", chosen.as_of);
    delete polled.dataset.painted;
    at("retention-line").hidden = !chosen.retention;
    at("retention").textContent = chosen.retention?.text ?? "";
    at("retention").classList.toggle("late", Boolean(chosen.retention?.soon));
    at("subscriptions").hidden = !chosen.subscribes_to?.length;
    fill(at("subscriptions"), { subscribed: (chosen.subscribes_to ?? []).join(", ") });
  }

  pairs(chosen) {
    const pairs = [...chosen.verdict.facts];
    const known = new Set(pairs.map((pair) => pair.name));
    const add = (name, value) => { if (value && !known.has(name)) pairs.push({ name, value }); };
    add("offset gap", chosen.gap);
    add("hot", chosen.hot?.text);
    add("in / out a minute", chosen.rates);
    if (chosen.retention?.soon) add("retention", `${chosen.retention.text} until the oldest is deleted`);
    return pairs;
  }

  partitions(chosen) {
    const rows = chosen.partitions ?? [];
    const topics = [...new Set(rows.map((row) => row.topic))];
    const home = topics.find((name) => name.endsWith("task.commands")) ?? topics[0] ?? "";
    at("partition-topic").textContent = home;
    const label = (row) => (row.topic === home ? `${row.partition}` : `${row.topic.split(".").at(-2)}-${row.partition}`);
    const ordered = [...rows].sort((a, b) => (b.topic === home) - (a.topic === home) || a.topic.localeCompare(b.topic) || a.partition - b.partition);
    fill(at("partitions"), { partitions: ordered.map((row) => ({ ...row, label: label(row), place: `${row.topic}-${row.partition}`, lag_text: row.lag === null ? "" : count(row.lag) })) });
    at("unknown-line").hidden = !chosen.unknown_partitions;
    at("unknown-line").textContent = `The sum skips ${plural(chosen.unknown_partitions, "partition")} of which nothing is known.`;
  }

  members(chosen) {
    const has = (row) => Object.entries(row.assignment).map(([topic, numbers]) => `${topic.split(".").slice(-2).join(".")} ${numbers.join(", ")}`).join("; ") || "no partition";
    fill(at("members"), { member_rows: (chosen.member_rows ?? []).map((row) => ({ ...row, has: has(row) })) });
    at("member-count").textContent = chosen.members === null ? "unknown" : `${chosen.members}`;
  }

  heads(heads) {
    const short = (head) => `${head.topic.split(".").slice(-1)}-${head.partition}@${head.offset}`;
    const words = (head) => [
      head.starts ? `started ${plural(head.starts, "time")}` : "not started",
      head.holds_up ? `holds up ${count(head.holds_up)}` : "",
      head.poison ? "likely a poison record" : "",
    ].filter(Boolean).join(", ");
    at("head").hidden = heads.length === 0;
    fill(at("head"), { heads: heads.map((head) => ({ ...head, url: record(head), position: short(head), words: words(head) })) });
    const button = at("open-head");
    button.hidden = heads.length === 0;
    if (heads.length) { button.href = record(heads[0]); button.textContent = `Open record ${heads[0].offset}`; }
  }

  detail({ waiting = [], blocked = [], changes = [] }) {
    const open = new Set([...at("waiting").querySelectorAll("details[open] summary a")].map((link) => link.textContent));
    const fresh = at("waiting").children.length <= 1;
    fill(at("waiting"), { runs: waiting.map((run, n) => ({ ...run, first: fresh ? n === 0 : open.has(run.run) })) });
    fill(at("blocked"), { blocked });
    fill(at("changes"), { changes: changes.map((one) => ({ ...one, after_text: one.after ? `after the poll of ${one.after}` : "" })) });
    at("waiting-none").hidden = waiting.length > 0;
    at("changes-none").hidden = changes.length > 0;
  }

  table() {
    const button = at("as-table");
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(shown));
    at("lag-table").hidden = !shown;
    at("lag-chart").hidden = shown;
    this.points();
  }

  /** The numbers of the chart, newest first. */
  points() {
    if (at("lag-table").hidden) return;
    const { columns = ["waiting", "age_seconds"], points = [] } = this.chart.figure() ?? {};
    const names = { waiting: "Waiting", age_seconds: "Oldest", asked_for: "Asked for a minute", started: "Started a minute" };
    const text = (value, column) => (value === null || value === undefined ? "unknown" : column === "age_seconds" ? duration(value) : `${value}`);
    const row = (point) => ({ cells: [{ text: new Date(point.at).toLocaleTimeString() }, ...columns.map((column) => ({ text: text(point[column], column) }))] });
    fill(at("lag-table"), { heads: [{ name: "At" }, ...columns.map((column) => ({ name: names[column] ?? column }))], points: points.toReversed().map(row) });
  }
}
