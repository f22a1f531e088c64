// Calls of the HTTP API: same origin, session cookie, CSRF token out of the page.

const page = document.documentElement;

/** A refusal of the API: `status` and the problem document. */
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? body?.title ?? `The server answered ${status}`);
    this.status = status;
    this.body = body ?? {};
  }
}

let past = null;

/** From now on calls about `path` are answered as of a position; null: as of now. */
export function asOf(path, at) {
  past = at ? { path, at } : null;
}

/** The position that the page stands at; null in the present. */
export const position = () => past?.at ?? null;

async function read(response) {
  const text = await response.text();
  let body = null;
  try { body = text ? JSON.parse(text) : null; } catch { body = { title: text.slice(0, 200) }; }
  if (!response.ok) throw new Problem(response.status, body);
  return body;
}

/** GET below /api/v1/, with query parameters; empty ones are left out. */
export async function get(path, parameters = {}) {
  const address = new URL(page.dataset.api + path, location.href);
  if (past && (path === past.path || path.startsWith(`${past.path}/`))) address.searchParams.set("at", past.at);
  for (const [name, value] of Object.entries(parameters)) if (value) address.searchParams.set(name, value);
  return read(await fetch(address, { headers: { accept: "application/json" } }));
}

/** POST below /api/v1/; `key` is the Idempotency-Key, so that a repeated click is the same act. */
export async function post(path, body, key = null) {
  const headers = { "content-type": "application/json", "x-csrftoken": page.dataset.csrf };
  if (key) headers["idempotency-key"] = key;
  return read(await fetch(page.dataset.api + path, { method: "POST", headers, body: JSON.stringify(body) }));
}

/** DELETE below /api/v1/. */
export async function remove(path) {
  return read(await fetch(page.dataset.api + path, { method: "DELETE", headers: { "x-csrftoken": page.dataset.csrf } }));
}

/** The first data of the page, as the server wrote it into <script type="application/json" id=…>. */
export function first(id) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent) : null;
}
