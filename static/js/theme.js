// Light and dark follow the system; the button walks system → the other → system and a cookie keeps it, so that
// the server can write it into the next page before anything is drawn.

const page = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const YEAR = 31536000;

/** The theme in force: light or dark. */
export function theme() {
  return page.dataset.theme ?? (dark.matches ? "dark" : "light");
}

function choose(name) {
  const system = dark.matches ? "dark" : "light";
  if (name === system) delete page.dataset.theme;
  else page.dataset.theme = name;
  const kept = name === system ? "theme=; max-age=0" : `theme=${name}; max-age=${YEAR}`;
  document.cookie = `${kept}; path=/; samesite=lax`;
  document.dispatchEvent(new CustomEvent("theme", { detail: theme() }));
}

export function start() {
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.addEventListener("click", () => choose(theme() === "dark" ? "light" : "dark"));
  }
  dark.addEventListener("change", () => document.dispatchEvent(new CustomEvent("theme", { detail: theme() })));
}
