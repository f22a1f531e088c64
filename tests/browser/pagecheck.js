// Faults of any page: words that lie on other words, words cut off without a sign or out of the part of the page they
// belong to, a page that scrolls sideways.
() => {
  const faults = [];
  const clips = (style) => style.overflowX !== 'visible' || style.overflowY !== 'visible';
  const cut = (a, b) => ({ left: Math.max(a.left, b.left), right: Math.min(a.right, b.right), top: Math.max(a.top, b.top), bottom: Math.min(a.bottom, b.bottom) });
  const parts = 'section, aside, article, form, header, footer, nav, fieldset, dialog, td, th';
  const empty = (r) => r.right - r.left < 1 || r.bottom - r.top < 1;
  const name = (text) => `"${text.trim().slice(0, 40)}"`;
  const shown = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || parent.closest('script, template, noscript, style, .spoken, .skip, option, textarea') || !parent.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const whole of range.getClientRects()) {
      let rect = cut(whole, { left: 0, top: 0, right: innerWidth, bottom: innerHeight });
      let layer = null, sign = false, scrolled = false;
      for (let up = parent; up && up !== document.body; up = up.parentElement) {
        const style = getComputedStyle(up);
        if (!layer && (style.position === 'fixed' || style.position === 'sticky')) layer = up;
        if (style.textOverflow === 'ellipsis') sign = true;
        if (up.matches(parts) && !scrolled && !empty(rect) && whole.right > up.getBoundingClientRect().right + 1.5) faults.push(`${name(node.data)} runs out of its ${up.localName}`);
        scrolled ||= /auto|scroll|hidden|clip/.test(style.overflowX);
        if (!clips(style) || style.display === 'inline') continue;
        const box = up.getBoundingClientRect();
        const scrolls = /auto|scroll/.test(style.overflowX);
        if (!sign && !scrolls && !empty(rect) && whole.right > box.right + 1.5 && whole.left < box.right && whole.bottom <= box.bottom + 1) faults.push(`${name(node.data)} is cut off`);
        rect = cut(rect, box);
      }
      if (!empty(rect)) shown.push({ node, parent, rect, layer });
    }
  }
  shown.forEach((one, i) => {
    for (const other of shown.slice(i + 1)) {
      if (one.layer !== other.layer || one.node === other.node) continue;
      const both = cut(one.rect, other.rect);
      if (both.right - both.left > 2 && both.bottom - both.top > 3) faults.push(`${name(one.node.data)} lies on ${name(other.node.data)}`);
    }
  });
  if (document.documentElement.scrollWidth > innerWidth + 1) faults.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${innerWidth}`);
  return [...new Set(faults)].slice(0, 20);
}
