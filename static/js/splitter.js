// The bar between two regions: dragged or moved by arrow keys; the share of the upper one is remembered.

const KEY = "run.split";

function kept() {
  try { return Number(localStorage.getItem(KEY)) || null; } catch { return null; }
}

/** `upper` takes a share of the room between its top and the bottom of the page. */
export function splitter(bar, upper) {
  const set = (share, keep = true) => {
    const part = Math.min(85, Math.max(15, share));
    upper.style.height = `${part}%`;
    upper.dataset.height = part;
    bar.setAttribute("aria-valuenow", Math.round(part));
    if (keep) try { localStorage.setItem(KEY, part); } catch { /* private windows forget */ }
  };
  const share = () => (100 * upper.offsetHeight) / upper.parentElement.offsetHeight;
  bar.addEventListener("pointerdown", (event) => {
    bar.setPointerCapture(event.pointerId);
    const top = upper.getBoundingClientRect().top;
    const move = (next) => set((100 * (next.clientY - top)) / upper.parentElement.offsetHeight);
    bar.addEventListener("pointermove", move);
    bar.addEventListener("pointerup", () => bar.removeEventListener("pointermove", move), { once: true });
  });
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 4, ArrowUp: -4 }[event.key];
    if (!step) return;
    event.preventDefault();
    set(share() + step);
  });
  bar.addEventListener("dblclick", () => {
    upper.style.height = "";
    delete upper.dataset.height;
    try { localStorage.removeItem(KEY); } catch { /* nothing was kept */ }
  });
  if (kept()) set(kept(), false);
}
