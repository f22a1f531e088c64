// The one-time link: a browser that really shows the page goes on by itself. Previews and scanners do not run
// scripts on a visible page, so they do not use the link up; without scripts the button does the same.

const form = document.querySelector("[data-sign-in]");
const button = form.querySelector("button");

function go() {
  if (document.visibilityState !== "visible" || button.disabled) return;
  document.removeEventListener("visibilitychange", go);
  form.requestSubmit();
}

// Whoever also clicks while the answer is on its way would post a link that is used by then.
form.addEventListener("submit", () => setTimeout(() => { button.disabled = true; }));

document.addEventListener("visibilitychange", go);
setTimeout(go, 150);
