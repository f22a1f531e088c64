// Tabs: one panel of several, chosen by click or arrow keys. What was chosen is remembered under data-tabs, if that is a name.

function remembered(name) {
  try { return name && localStorage.getItem(`tabs.${name}`); } catch { return null; }
}

/** Shows the panel of a tab; `keep` remembers it for the next page. */
export function open(tab, keep = true) {
  const list = tab.closest("[role=tablist]");
  for (const each of list.querySelectorAll("[role=tab]")) {
    const chosen = each === tab;
    each.setAttribute("aria-selected", String(chosen));
    each.setAttribute("tabindex", chosen ? 0 : -1);
    document.getElementById(each.getAttribute("aria-controls")).hidden = !chosen;
  }
  if (keep && list.dataset.tabs) try { localStorage.setItem(`tabs.${list.dataset.tabs}`, tab.id); } catch { /* private windows forget */ }
  tab.dispatchEvent(new CustomEvent("opened", { bubbles: true }));
}

/** Makes a tablist work. A hidden tab stays out until it is shown. */
export function tabs(list) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const shown = () => all.filter((tab) => !tab.hidden);
  list.addEventListener("click", (event) => { const tab = event.target.closest("[role=tab]"); if (tab) open(tab); });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = shown().at((shown().indexOf(event.target) + step) % shown().length);
    open(next);
    next.focus();
  });
  open(shown().find((tab) => tab.id === remembered(list.dataset.tabs)) ?? shown()[0], false);
}
