// The one-time link: a browser that really shows the page goes on by itself. Previews and scanners do not run
// scripts on a visible page, so they do not use the link up; without scripts the button does the same.

const form = document.querySelector("[data-sign-in]");

function go() {
  if (document.visibilityState !== "visible") return;
  document.removeEventListener("visibilitychange", go);
  form.submit();
}

document.addEventListener("visibilitychange", go);
setTimeout(go, 150);
