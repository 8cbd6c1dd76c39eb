import type { Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { createStorefront } from "../server/storefront.ts";
import type { StorefrontConfig } from "../server/config/config.ts";
import { createTestAuth, testAccount as account } from "./_client.ts";
import { listen } from "./_https.ts";
import { createTestLog } from "../server/testing/test-log.ts";
import { testSecret } from "./_setup.ts";

/** A page and a server, each with its own origin. */
export interface PageServer {
  readonly page: string;
  readonly server: string;
  /** The names of the methods that ran. */
  readonly reached: string[];
  /** The requests to the server, with their statuses. */
  readonly requests: RecordedRequest[];
}

/** A request to the server, even if no method ran. */
export interface RecordedRequest {
  readonly verb: string;
  /** The media type of its body; `-` without a body. */
  readonly type: string;
  readonly origin: string | null;
  /** The names of its cookies. */
  readonly cookies: readonly string[];
  readonly status: number;
}

/**
 * Serves an empty page and a storefront, until the test ends.
 * @param settings config source of the storefront; contains the page's origin as in `page`
 */
export async function servePage(
  page: string,
  server: string,
  settings: string,
): Promise<PageServer> {
  const reached: string[] = [];
  const requests: RecordedRequest[] = [];
  const answer = async (request: Request) => {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/api/")) return emptyPage();
    const response = await app.fetch(request);
    requests.push(describeRequest(request, response.status));
    return response;
  };
  const pageOrigin = await listen(page, answer);
  const app = createStorefront(
    {
      shops: [{ shopId: 1001, locale: "de-DE", currency: "EUR" }],
      storage: { singleProcess: true },
      auth: createTestAuth(),
      log: createTestLog().log,
      hooks: { "storefront:context:created": ({ method }) => void reached.push(method) },
      ...withSecret(parse(settings.replaceAll(`"${page}"`, `"${pageOrigin}"`))),
    },
    { production: true },
  );
  onTestFinished(() => app.close());
  const serverOrigin = page === server ? pageOrigin : await listen(server, answer);
  return { page: pageOrigin, server: serverOrigin, reached, requests };
}

/** An empty page. */
export function emptyPage(): Response {
  const head = '<!doctype html><link rel="icon" href="data:,"><title>A page</title>';
  return new Response(head, { headers: { "content-type": "text/html" } });
}

/** Visits a page, fills a basket, registers, and reloads. */
export async function converse(page: Page, { page: origin, server }: PageServer) {
  await page.goto(origin);
  const item = { variantId: 7, quantity: 1 };
  const added = (await callFrom(page, server, "addItemToBasket", item)).basket.itemCount;
  await callFrom(page, server, "register", account);
  await page.reload();
  const { user } = await callFrom(page, server, "getUser");
  const { basket } = await callFrom(page, server, "getBasket");
  return { added, email: user?.email, kept: basket.itemCount };
}

/** Calls a method from a page, with cookies and the stored token. */
export function callFrom(page: Page, server: string, method: string, payload?: unknown) {
  return page.evaluate(
    async ([url, body]) => {
      const token = sessionStorage.getItem("token");
      const response = await fetch(url, {
        method: "POST",
        credentials: "include",
        headers: {
          "content-type": "application/json",
          ...(token && { authorization: `Bearer ${token}` }),
        },
        body,
      });
      const newToken = response.headers.get("storefront-auth-token");
      if (newToken !== null) sessionStorage.setItem("token", newToken);
      return response.status === 204 ? undefined : response.json();
    },
    [`${server}/api/rpc/${method}`, JSON.stringify({ payload })] as const,
  );
}

// --- Internal helpers ---

function describeRequest({ headers, method }: Request, status: number): RecordedRequest {
  const cookies = headers.get("cookie")?.split("; ") ?? [];
  return {
    verb: method,
    type: headers.get("content-type")?.split(";", 1)[0] ?? "-",
    origin: headers.get("origin"),
    cookies: cookies.map((cookie) => cookie.split("=", 1)[0] ?? ""),
    status,
  };
}

/** Evaluates settings from a document as config source. */
function parse(settings: string): Partial<StorefrontConfig> {
  // oxlint-disable-next-line typescript/no-implied-eval -- the documents are our own
  return new Function(`return ${settings}`)() as Partial<StorefrontConfig>;
}

function withSecret(config: Partial<StorefrontConfig>): Partial<StorefrontConfig> {
  return { ...config, session: { secret: testSecret, ...config.session } };
}
