import { onTestFinished } from "vitest";
import type { StorefrontConfig } from "../server/config/config.ts";
import type { ListedCall, VisitorName, VisitorState } from "../server/dev-page/dev-page.ts";
import { createStorefront } from "../server/storefront.ts";
import type { Storefront } from "../server/storefront-app.ts";
import { createTestLog, type LogLine } from "../server/testing/test-log.ts";
import { testConfig } from "./_setup.ts";

/** The development page of a storefront, without a socket. */
export interface TestDevPage {
  readonly app: Storefront;
  readonly lines: LogLine[];
  /** Sends a request from this machine, as the page does. Options replace parts of it. */
  request(path: string, options?: PageRequest): Promise<Response>;
  /** Makes a call as a visitor. */
  call(visitor: VisitorName, method: string, payload?: unknown, more?: object): Promise<MadeCall>;
  /** Reads the visitors and the list of calls. */
  state(more?: object): Promise<PageState>;
}

export interface PageRequest {
  readonly origin?: string;
  readonly ip?: string | undefined;
  readonly method?: string;
  /** An empty value removes a header. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly payload?: unknown;
}

export interface MadeCall {
  readonly call: ListedCall;
  readonly visitors: Readonly<Record<VisitorName, VisitorState>>;
  /** The whole response of the page, as the browser gets it. */
  readonly text: string;
}

export interface PageState {
  readonly visitors: Readonly<Record<VisitorName, VisitorState>>;
  readonly calls: readonly ListedCall[];
}

/** Opens a development page until the test ends. */
export function openTestDevPage(
  config: Partial<StorefrontConfig> = {},
  settings: { readonly production?: boolean } = { production: false },
): TestDevPage {
  const { log, lines } = createTestLog();
  const app = createStorefront(testConfig({ log, ...config }), settings);
  onTestFinished(() => app.close());

  async function request(
    path: string,
    { origin = "http://localhost:3000", method, headers = {}, payload, ...rest }: PageRequest = {},
  ): Promise<Response> {
    const isPost = payload !== undefined;
    const all = {
      "sec-fetch-site": "same-origin",
      ...(isPost && { "content-type": "application/json", origin }),
      ...headers,
    };
    const sent = new Request(origin + path, {
      method: method ?? (isPost ? "POST" : "GET"),
      headers: Object.entries(all).filter(([, value]) => value !== ""),
      body: isPost ? JSON.stringify({ payload }) : null,
    });
    Object.defineProperty(sent, "ip", { value: "ip" in rest ? rest.ip : "127.0.0.1" });
    return app.fetch(sent);
  }

  async function call(visitor: VisitorName, name: string, payload?: unknown, more: object = {}) {
    const made = { visitor, shopId: 1001, method: name, payload, ...more };
    const response = await request("/_storefront/call", { payload: made });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    const { visitors, calls } = JSON.parse(text) as PageState;
    return { visitors, call: calls[0] as ListedCall, text };
  }

  async function state(more: object = {}) {
    const response = await request("/_storefront/state", { payload: { shopId: 1001, ...more } });
    return (await response.json()) as PageState;
  }

  return { app, lines, request, call, state };
}
