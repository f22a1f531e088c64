// The drawer over the foot of a review: words to a decision, edited arguments, the name typed to confirm.

/** The decisions after which something is carried out. */
export const CONSENT = ["approve", "edit"];
const at = (id) => document.getElementById(id);

export class Drawer {
  constructor(page, form) {
    this.page = page;
    this.buttons = form.querySelectorAll("button[name=decision]");
    this.chosen = null;
  }

  get dangerous() {
    return this.page.dataset.dangerous === "yes";
  }

  /** Whether a click opens the drawer first: all but a plain approval do. */
  asks(decision) {
    return (decision !== "approve" || this.dangerous) && this.chosen !== decision;
  }

  open(decision) {
    this.chosen = decision;
    const confirm = this.dangerous && CONSENT.includes(decision);
    at("drawer").hidden = at("cancel").hidden = false;
    at("args-field").hidden = decision !== "edit";
    at("confirm-field").hidden = !confirm;
    at("comment-label").textContent = decision === "respond" ? "Your answer, which the agent gets" : "Reason, kept with the decision";
    for (const button of this.buttons) button.hidden = button.value !== decision;
    (decision === "edit" ? at("args") : confirm ? at("confirm") : at("comment")).focus();
  }

  close() {
    this.chosen = null;
    at("drawer").hidden = at("cancel").hidden = true;
    for (const button of this.buttons) button.hidden = false;
  }

  /** What is missing before this decision can be sent; empty if nothing is. */
  wrong(decision) {
    const name = this.page.dataset.confirm;
    if (this.dangerous && CONSENT.includes(decision) && at("confirm").value.trim() !== name) return `Type ${name} to go on.`;
    return decision === "respond" && !at("comment").value.trim() ? "Write the answer that the agent gets." : "";
  }
}
