// Notifications of the browser: asked for on the notifications page, shown when more requests wait than before
// and nobody looks at this page. A click opens the queue; it decides nothing.

const KEY = "lineside-notify";
let known = null;

/** Whether this browser was asked to tell, and may. */
export function wanted() {
  return localStorage.getItem(KEY) === "yes" && globalThis.Notification?.permission === "granted";
}

/** Asks the person, through the browser; returns whether it will tell from now on. */
export async function want(yes) {
  if (yes && globalThis.Notification && Notification.permission !== "granted") await Notification.requestPermission();
  localStorage.setItem(KEY, yes ? "yes" : "no");
  return wanted();
}

/** How many requests wait now; tells when they have become more. */
export function waiting(count) {
  const more = known !== null && count > known;
  known = count;
  if (!more || !document.hidden || !wanted()) return;
  const note = new Notification("A request needs a decision", { body: `${count} wait in all.`, tag: "lineside-approvals" });
  note.addEventListener("click", () => { window.focus(); location.assign("/approvals/"); });
}
