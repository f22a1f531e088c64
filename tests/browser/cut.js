// What of a page lies beyond the screen: sideways scrolling, and words or boxes that nobody can reach.
() => {
  const wide = document.documentElement.scrollWidth > innerWidth ? ['the page scrolls sideways'] : [];
  const seen = [...document.querySelectorAll('main *')].filter((one) => {
    const { width, height, left, right } = one.getBoundingClientRect();
    const scrolls = one.closest('.tablewrap, .tabs, .strip, .graph, svg, .sheet, .spoken, pre');
    return width && height && !scrolls && one.checkVisibility({ visibilityProperty: true }) && (right > innerWidth + 1 || left < -1);
  });
  return [...wide, ...seen.slice(0, 5).map((one) => `${one.tagName}.${one.className} reaches beyond the screen: ${one.textContent.slice(0, 60)}`)];
}
