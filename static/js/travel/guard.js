// Nothing is acted on from the past: what is shown is not how it is.

const ACTS = "[data-act], [data-acts], form[method=post]";

/** Stops acts in the page while `past()`, and tells `refused`. */
export function guard(past, refused) {
  const stop = (event) => {
    if (!past() || (event.type === "keydown" && event.key !== "Enter" && event.key !== " ")) return;
    if (!event.target.closest?.(ACTS)) return;
    event.preventDefault();
    event.stopPropagation();
    refused("Nothing can be acted on in the past. Esc leads back to now.");
  };
  for (const kind of ["click", "submit", "keydown"]) document.getElementById("main").addEventListener(kind, stop, true);
}
