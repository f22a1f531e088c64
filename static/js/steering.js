// Acts on a task: a button asks for a reason, the reason goes with the act, and the page says what was saved.

import { post } from "./api.js";

const WORDS = { cancel: "Ask to cancel", retry: "Retry as new task", compensate: "Ask to compensate" };
const at = (id) => document.getElementById(id);

/** Wires the acts of one task, where the page offers any. */
export function steering(run, task) {
  if (!at("acts")) return;
  let act = null;
  for (const button of document.querySelectorAll("[data-act]")) {
    button.addEventListener("click", () => {
      act = button.dataset.act;
      at("act-form").hidden = false;
      at("act-go").textContent = WORDS[act];
      at("act-reason").focus();
    });
  }
  at("act-cancel").addEventListener("click", () => { at("act-form").hidden = true; });
  at("act-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const path = `runs/${encodeURIComponent(run)}/tasks/${encodeURIComponent(task)}/acts`;
    try {
      say(await post(path, { act, reason: at("act-reason").value }));
      at("act-form").hidden = true;
    } catch (error) {
      told(error.message, true);
    }
  });
}

function told(words, bad = false) {
  at("act-outcome").hidden = false;
  at("act-outcome").classList.toggle("late", bad);
  at("act-outcome").replaceChildren(words);
}

function say(saved) {
  told("Saved. It is sent by itself; the agents answer on the log. ");
  if (!saved.new_task_url) return;
  const link = Object.assign(document.createElement("a"), { className: "link", href: saved.new_task_url, textContent: "The new task" });
  at("act-outcome").append(link, " appears once its command is read.");
}
