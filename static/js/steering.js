// Acts on a task: a button asks for a reason, the reason goes with the act, and the page says what was saved.

import { post } from "./api.js";

const WORDS = { cancel: "Ask to cancel", retry: "Retry as new task", compensate: "Ask to compensate" };

/** Wires the acts of the task that `root` shows, where it offers any. */
export function steering(root) {
  const acts = root.querySelector("[data-acts]");
  const form = acts?.querySelector("form");
  if (!form) return;
  const { run, task } = acts.dataset;
  const [outcome, reason] = [acts.querySelector("[data-outcome]"), form.querySelector("textarea")];
  let act = null;
  acts.addEventListener("click", ({ target }) => {
    if (target.closest("[data-not-now]")) form.hidden = true;
    const button = target.closest("[data-act]");
    if (!button) return;
    act = button.dataset.act;
    form.hidden = false;
    form.querySelector("[data-go]").textContent = WORDS[act];
    reason.focus();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      saved(outcome, await post(`runs/${encodeURIComponent(run)}/tasks/${encodeURIComponent(task)}/acts`, { act, reason: reason.value }));
      form.hidden = true;
    } catch (error) {
      told(outcome, error.message, true);
    }
  });
}

function told(outcome, words, bad = false) {
  outcome.hidden = false;
  outcome.classList.toggle("late", bad);
  outcome.replaceChildren(words);
}

function saved(outcome, answer) {
  told(outcome, "Saved. It is sent by itself; the agents answer on the log. ");
  if (!answer.new_task_url) return;
  const link = Object.assign(document.createElement("a"), { className: "link", href: answer.new_task_url, textContent: "The new task" });
  outcome.append(link, " appears once its command is read.");
}
