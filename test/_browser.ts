import type { Storefront } from "../server/storefront-app.ts";

/** The `fetch` of a browser: it keeps the cookies that an app sets. */
export function createBrowser(
  app: Pick<Storefront, "fetch">,
): (request: Request) => Promise<Response> {
  const cookies = new Map<string, string>();
  return async (request) => {
    const all = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    if (all !== "") request.headers.set("cookie", all);
    const response = await app.fetch(request);
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = (line.split(";", 1)[0] as string).split("=", 2);
      if (line.includes("Max-Age=0")) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };
}
