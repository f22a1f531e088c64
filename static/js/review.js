// Review of one request: queue beside it, decision at its foot, receipt as facts come in, claim while one looks.

import { first, get, post } from "./api.js";
import { now } from "./clock.js";
import { Decision } from "./decision.js";
import { headings } from "./grouping.js";
import { watch } from "./live.js";
import { receipt } from "./receipt.js";
import { Rows } from "./rows.js";

const RENEW = 120000;
const page = document.getElementById("review");
const at = (id) => document.getElementById(id);
const path = `approvals/${encodeURIComponent(page.dataset.id)}`;
const decision = new Decision(page, at("decide"));
const asks = new Rows(at("asks"), { accepts: (row) => row.open, headed: headings(at("asks"), "queue-group") });

asks.load(first("first-asks"));
here();
receipt(at("receipt"), first("first-receipts")[0] ?? null);

function here() {
  for (const item of at("asks").querySelectorAll("[data-id]")) {
    if (item.dataset.id === page.dataset.id) item.setAttribute("aria-current", "true");
  }
}

function changed(row) {
  if (row.request_version > Number(page.dataset.version)) {
    at("stale").hidden = false;
    decision.freeze("");
  }
  if (row.receipt) receipt(at("receipt"), row.receipt);
  if (!row.open) decision.freeze(row.receipt ? `${row.receipt.word} by ${row.receipt.by}.` : `This request is ${row.state} now.`);
  claimed(row.claim);
}

function claimed(claim) {
  const held = claim && Date.parse(claim.until) > now();
  const mine = held && claim.person === page.dataset.me;
  at("claim").textContent = held ? `${mine ? "you look" : `${claim.person} looks`} at it` : "";
  if (at("claim-button")) at("claim-button").hidden = Boolean(held) || decision.frozen;
}

async function claim() {
  try {
    claimed(await post(`${path}/claims`, {}));
  } catch (error) {
    decision.say(error.message, true);
  }
}

at("claim-button")?.addEventListener("click", () => {
  claim();
  setInterval(() => { if (!document.hidden && !decision.frozen) claim(); }, RENEW);
});

watch("approvals", {
  apply: (rows, gone) => {
    asks.apply(rows, [...gone, ...rows.filter((row) => row.kind === "approval" && !row.open).map((row) => row.id)]);
    here();
    rows.filter((row) => row.id === page.dataset.id).forEach(changed);
  },
  refetch: async () => {
    asks.load((await get("approvals", { limit: 200 })).items);
    here();
    changed(await get(path));
  },
});
