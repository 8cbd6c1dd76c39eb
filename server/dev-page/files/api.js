/** A request of the page that the server rejected, with the problem's own words. */
export class RequestError extends Error {}

/** Sends a request of the page. All of them are POST: then the browser sends `Origin`, which the server checks. */
export async function request(name, payload = {}) {
  let response;
  try {
    response = await fetch(new URL(name, import.meta.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ payload }),
    });
  } catch {
    throw new RequestError("The server does not respond. Start it, then press Refresh.");
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  const { title = response.statusText, detail, errors = [] } = body;
  const texts = errors.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new RequestError([title, detail, ...texts].filter(Boolean).join(". "));
}
