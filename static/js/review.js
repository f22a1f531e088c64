// Review of one request: queue beside it, decision at its foot, receipt as facts come in, claim while one looks.

import { first, get, post, remove } from "./api.js";
import { now } from "./clock.js";
import { Decision } from "./decision.js";
import { headings } from "./grouping.js";
import { onKey } from "./keys.js";
import { watch } from "./live.js";
import { receipt } from "./receipt.js";
import { Rows } from "./rows.js";

const RENEW = 120000;
let renewing = 0;
const page = document.getElementById("review");
const at = (id) => document.getElementById(id);
const path = `approvals/${encodeURIComponent(page.dataset.id)}`;
const decision = new Decision(page, at("decide"));
const asks = new Rows(at("asks"), { accepts: (row) => row.open, headed: headings(at("asks"), "queue-group") });

asks.load(first("first-asks"));
here();
receipt(at("receipt"), first("first-receipts")[0] ?? null);
if (first("first-receipts")[0]) decision.follow(first("first-receipts")[0]);

function here() {
  for (const item of at("asks").querySelectorAll("[data-id]")) {
    if (item.dataset.id === page.dataset.id) item.setAttribute("aria-current", "true");
  }
}

/** The next request that is open, this one left out: what a reviewer wants after deciding. */
onKey("n", () => {
  const open = [...at("asks").querySelectorAll("[data-id]:not(.gone)")].filter((item) => item.dataset.id !== page.dataset.id);
  open[0]?.click();
});

function changed(row) {
  const newer = row.request_version > Number(page.dataset.version);
  const edited = !newer && row.open && row.content_hash !== page.dataset.hash && !decision.frozen;
  if (newer || edited) stale(row, newer);
  at("foreign").hidden = !row.foreign?.length;
  if (row.receipt) {
    receipt(at("receipt"), row.receipt);
    decision.follow(row.receipt);
    at("receipt-words").textContent = `${row.receipt.word} by ${row.receipt.by}`;
  }
  if (!row.open) {
    page.classList.add("settled");
    decision.freeze(row.receipt ? `${capital(row.receipt.word)} by ${row.receipt.by}.` : `This request is ${row.state} now.`);
  }
  claimed(row.claim);
}

function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The old view stays as it is, frozen; the new one is a click away and begins with the difference. */
function stale(row, newer) {
  at("stale").hidden = false;
  at("stale-title").textContent = newer ? `The request changed: version ${page.dataset.version} became ${row.request_version}.` : "The arguments were edited.";
  at("stale-link").textContent = newer ? "Show what changed" : "Show the edit";
  decision.freeze("");
}

function claimed(claim) {
  const held = claim && Date.parse(claim.until) > now();
  const mine = held && claim.person === page.dataset.me;
  if (at("release-button")) at("release-button").hidden = !mine || decision.frozen;
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
  clearInterval(renewing);
  renewing = setInterval(() => { if (!document.hidden && !decision.frozen) claim(); }, RENEW);
});

at("release-button")?.addEventListener("click", async () => {
  clearInterval(renewing);
  try {
    await remove(`${path}/claims`);
    claimed(null);
  } catch (error) {
    decision.say(error.message, true);
  }
});

at("later-form")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const until = new Date(now() + Number(at("later").value) * 60000).toISOString();
  try {
    await post(`${path}/deferrals`, { until, reason: at("later-reason").value });
    decision.say(`Put off until ${until}. It waits under “Later”.`);
    at("later-box").open = false;
  } catch (error) {
    decision.say(error.message, true);
  }
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
