// What the patterns mean, in the order of a task's life.

import { svg } from "../marks.js";
import { bars } from "./bars.js";

const PARTS = [["in_broker", "in broker"], ["agent_queue", "agent queue"], ["execution", "execution"], ["retry_backoff", "retry back-off"], ["human_review", "human review"], ["decision_returning", "decision returning"], ["unattributed", "not attributed"]];
const flat = { x: (ms) => ms, right: 400 };

/** The entries of the legend: the patterns that these rows have, the critical path and members that changed where there are any. */
export function legend(rows, path, changed) {
  const there = new Set(rows.flatMap((row) => (row.spans ? row.spans.map((span) => span.part) : ["execution", row.waited ? "in_broker" : "execution"])));
  const entries = PARTS.filter(([part]) => there.has(part)).map(([part, words]) => {
    const sample = { spans: [{ part, from: 1, to: 25, attempt: 1, sign: "none" }], mark: "", ended_ms: null };
    return [svg("svg", { width: 26, height: 14, class: "sample", "aria-hidden": "true" }, ...bars(sample, flat, 0)), words];
  });
  if (path) entries.push([svg("svg", { width: 26, height: 14, class: "sample", "aria-hidden": "true" }, svg("path", { class: "path", d: "M1 7h24" })), "critical path"]);
  if (changed) entries.push([svg("svg", { width: 26, height: 14, class: "sample", "aria-hidden": "true" }, svg("rect", { class: "changed", x: 11, y: 0, width: 3, height: 14 })), "members changed"]);
  return entries.map(([sample, words]) => {
    const entry = document.createElement("span");
    entry.append(sample, words);
    return entry;
  });
}
