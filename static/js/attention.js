// Whether somebody looks at a list: points at it, has the focus in it, has scrolled; or cannot see it at all.

const PATIENCE = 6000;

export class Attention {
  /** `page`: whether it also counts that the whole page is scrolled. */
  constructor(list, page = false) {
    Object.assign(this, { list, touched: -PATIENCE, away: false, panel: list.closest("[role=tabpanel]") });
    for (const kind of ["pointermove", "wheel", "touchmove", "keydown"]) {
      list.addEventListener(kind, () => { this.touched = performance.now(); }, { passive: true });
    }
    // Noted when it happens: asking where a list is scrolled to makes the browser lay the page out.
    const note = () => { this.away = (list.closest(".scroll")?.scrollTop ?? 0) > 8 || (page && scrollY > 8); };
    document.addEventListener("scroll", note, { capture: true, passive: true });
  }

  /** The list stands behind another tab. */
  get unseen() {
    return Boolean(this.panel?.hidden);
  }

  /** Rows may come and go: nobody looks at that very place. */
  get calm() {
    const pointed = this.list.matches(":hover") && performance.now() - this.touched < PATIENCE;
    return document.hidden || !(pointed || this.away || this.list.contains(document.activeElement));
  }
}
