// A failed task in place: its part of the task page, over the board or in the inspector of a run.

import { position } from "./api.js";
import { paint } from "./clock.js";
import { steering } from "./steering.js";
import { tabs } from "./tabs.js";

/** Fetches the failure part of a task's page into `place`; the server has escaped what agents wrote. */
export async function showFailure(place, href) {
  const address = new URL(href, location.href);
  address.searchParams.set("part", "failure");
  if (position()) address.searchParams.set("at", position());
  const response = await fetch(address, { headers: { accept: "text/html" } });
  if (!response.ok) throw new Error(`The server answered ${response.status}`);
  const parsed = new DOMParser().parseFromString(await response.text(), "text/html");
  const article = parsed.querySelector("article.failure");
  if (!article) throw new Error("The session has ended; load the page again.");
  place.replaceChildren(document.importNode(article, true));
  place.querySelectorAll("[data-tabs]").forEach(tabs);
  steering(place);
  paint(place);
  return place.querySelector("h1");
}

/** Lets the causes in a list of runs open in the panel #failure; a click with a key goes to the page, as ever. */
export function panel(list) {
  const over = document.getElementById("failure");
  const place = over.querySelector("[data-place]");
  let from = null;

  async function open(link) {
    from = link.closest("#failure") ? from : link;
    place.replaceChildren(Object.assign(document.createElement("p"), { className: "section second", textContent: "Loading…" }));
    over.hidden = false;
    try {
      (await showFailure(place, link.href)).focus();
    } catch (error) {
      place.replaceChildren(Object.assign(document.createElement("p"), { className: "section late", textContent: error.message }));
    }
  }

  function close() {
    over.hidden = true;
    from?.focus();
  }

  function clicked(event) {
    const link = event.target.closest("a.cause, a[data-failure]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    open(link);
  }

  list.addEventListener("click", clicked);
  over.addEventListener("click", (event) => (event.target.closest("[data-close]") ? close() : clicked(event)));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !over.hidden && !event.defaultPrevented) close(); });
}
