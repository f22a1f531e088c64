// A page in the past leads on into the past: links to pages of the same run carry the position.

const KINDS = ["click", "auxclick", "contextmenu"];

/** Links to pages of a run carry what `position()` gives when they are followed; null takes it from them. Those marked
 *  with data-now lead to the present. */
export function carry(run, position) {
  const path = `/runs/${run}/`;
  const follow = (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || "now" in link.dataset) return;
    const address = new URL(link.href);
    if (address.origin !== location.origin || !decodeURIComponent(address.pathname).startsWith(path)) return;
    if (position()) address.searchParams.set("at", position());
    else address.searchParams.delete("at");
    link.href = address;
  };
  for (const kind of KINDS) document.addEventListener(kind, follow, true);
}
