// Review of one request: queue beside it, decision at its foot, receipt as facts come in.
// Approve stays off until the whole payload was on the screen; an edit or a word of reason opens the drawer.

import { first, get, post, Problem } from "./api.js";
import { watch } from "./live.js";
import { receipt } from "./receipt.js";
import { Rows } from "./rows.js";

const page = document.getElementById("review");
const form = document.getElementById("decide");
const at = (id) => document.getElementById(id);
const key = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
const drawn = { decision: null, seen: false, frozen: page.dataset.open === "" };

const asks = new Rows(at("asks"), { accepts: (row) => row.open });
asks.load(first("first-asks"));
here();
receipt(at("receipt"), first("first-receipts")[0] ?? null);

function here() {
  for (const item of at("asks").querySelectorAll("[data-id]")) {
    if (item.dataset.id === page.dataset.id) item.setAttribute("aria-current", "true");
  }
}

function buttons() {
  for (const button of form.querySelectorAll("button[name=decision]")) {
    const unseen = ["approve", "edit"].includes(button.value) && !drawn.seen;
    button.disabled = drawn.frozen || unseen;
  }
  if (!drawn.frozen) {
    at("off").hidden = drawn.seen;
    at("off").textContent = drawn.seen ? "" : "Approve opens once you have seen everything down to the hash.";
  }
}

new IntersectionObserver((entries) => {
  if (!entries.some((entry) => entry.isIntersecting)) return;
  drawn.seen = true;
  buttons();
}, { rootMargin: "0px 0px 8px 0px" }).observe(at("payload-end"));
buttons();

function openDrawer(decision) {
  drawn.decision = decision;
  const needsArgs = decision === "edit";
  const needsName = page.dataset.dangerous === "yes" && ["approve", "edit"].includes(decision);
  at("drawer").hidden = false;
  at("cancel").hidden = false;
  at("args-field").hidden = !needsArgs;
  at("confirm-field").hidden = !needsName;
  at("comment-label").textContent = decision === "respond" ? "Your answer, which the agent gets" : "Reason, kept with the decision";
  (needsArgs ? at("args") : needsName ? at("confirm") : at("comment")).focus();
}

function closeDrawer() {
  drawn.decision = null;
  at("drawer").hidden = true;
  at("cancel").hidden = true;
}

function wrong(decision) {
  if (page.dataset.dangerous === "yes" && ["approve", "edit"].includes(decision) && at("confirm").value.trim() !== page.dataset.confirm) return `Type ${page.dataset.confirm} to go on.`;
  if (decision === "respond" && !at("comment").value.trim()) return "Write the answer that the agent gets.";
  return "";
}

function say(words, bad = false) {
  at("outcome").hidden = !words;
  at("outcome").textContent = words;
  at("outcome").classList.toggle("late", bad);
}

async function decide(decision) {
  let args = null;
  try {
    args = decision === "edit" ? JSON.parse(at("args").value) : null;
  } catch (error) {
    return say(`The arguments are not JSON: ${error.message}`, true);
  }
  drawn.frozen = true;
  buttons();
  try {
    const body = { decision, request_version: Number(page.dataset.version), content_hash: page.dataset.hash, comment: at("comment").value, args };
    const saved = await post(`approvals/${encodeURIComponent(page.dataset.id)}/decisions`, body, key);
    closeDrawer();
    at("receipt-words").textContent = saved.final ? "yours" : saved.standing;
    receipt(at("receipt"), saved.final ? saved : null);
    say(saved.final ? "Saved." : `Your vote is saved. ${saved.standing}`);
  } catch (error) {
    refused(error);
  }
  return undefined;
}

function refused(error) {
  const lost = error instanceof Problem && [409, 422].includes(error.status);
  if (error.body?.code === "request_changed") at("stale").hidden = false;
  drawn.frozen = lost;
  say(error instanceof Problem ? error.message : "The server cannot be reached. Nothing was decided; try again.", true);
  buttons();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const decision = event.submitter?.value ?? drawn.decision;
  const plain = decision === "approve" && page.dataset.dangerous !== "yes";
  if (!plain && drawn.decision !== decision) return openDrawer(decision);
  const reason = wrong(decision);
  return reason ? say(reason, true) : void decide(decision);
});
at("cancel").addEventListener("click", () => { closeDrawer(); say(""); });

watch("approvals", {
  apply: (rows, gone) => {
    asks.apply(rows, [...gone, ...rows.filter((row) => row.kind === "approval" && !row.open).map((row) => row.id)]);
    here();
    rows.filter((row) => row.id === page.dataset.id).forEach(changed);
  },
  refetch: async () => {
    asks.load((await get("approvals", { limit: 200 })).items);
    here();
    changed(await get(`approvals/${encodeURIComponent(page.dataset.id)}`));
  },
});

function changed(row) {
  if (row.request_version > Number(page.dataset.version)) {
    at("stale").hidden = false;
    drawn.frozen = true;
  }
  if (row.receipt) receipt(at("receipt"), row.receipt);
  if (!row.open && !drawn.frozen) {
    drawn.frozen = true;
    at("off").hidden = false;
    at("off").textContent = row.receipt ? `${row.receipt.word} by ${row.receipt.by} meanwhile.` : `This request is ${row.state} now.`;
  }
  at("claim").textContent = row.claim ? `${row.claim.person} looks at it` : "";
  buttons();
}
