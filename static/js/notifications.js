// The switch for notifications of this very browser.

import { want, wanted } from "./notify.js";

const button = document.getElementById("browser-switch"), words = document.getElementById("browser-words");

function paint() {
  const denied = globalThis.Notification?.permission === "denied";
  button.disabled = denied || !globalThis.Notification;
  button.textContent = wanted() ? "Turn off in this browser" : "Turn on in this browser";
  words.textContent = denied ? "This browser was told not to; change it in its settings for this site." : wanted() ? "On: while a page of Lineside is open but not in view." : "Off.";
}

button.addEventListener("click", async () => { await want(!wanted()); paint(); });
paint();
