import * as z from "zod/mini";
import { RpcError } from "../../rpc/error.ts";
import { devPagePath } from "../own-paths.ts";
import { parseInput } from "../../rpc/dispatch.ts";
import type { ShopServices } from "../../rpc/shop-services.ts";
import type { Shop, StorefrontOptions } from "../config/options.ts";
import type { Credentials } from "../credentials/credentials.ts";
import type { SessionTransport } from "../credentials/transport.ts";
import { tokenMethods, type TokenMethod } from "../config/keys/session-keys.ts";
import { readPayload } from "../payload.ts";
import type { RequestEvent } from "../request.ts";
import type { Services } from "../services.ts";
import { listChanges, type Change } from "./differences.ts";
import { observe, type Observation } from "./observe.ts";
import { pageHeaders, respondWithFile } from "./page-files.ts";
import { sendCall, type Exchange } from "./send-call.ts";
import { Visitor } from "./page-visitor.ts";

/** The parts of a storefront that the page uses. */
export interface DevPageSource {
  readonly options: StorefrontOptions;
  readonly services: Pick<Services, "shops">;
  readonly credentials: Credentials;
  /** The storefront's own `fetch`. */
  readonly send: (request: Request) => Response | Promise<Response>;
  /** The development server, if this is one: the page stays the same when it reloads its config. */
  readonly server?: object | undefined;
}

/** A visitor as the page shows it. */
export interface VisitorState extends Observation {
  readonly cookies: Visitor["cookies"];
}

/** A call in the list of the last calls. */
export interface ListedCall extends Exchange {
  readonly number: number;
  readonly at: number;
  readonly visitor: VisitorName;
  readonly shopId: number;
  readonly method: string;
  /** The changes of both visitors: a call of one can end the session of the other. */
  readonly changes: readonly (Change & { readonly visitor: VisitorName })[];
}

export type VisitorName = (typeof visitorNames)[number];

/** Opens the development page: its visitors, and its list of calls, are in the memory of this process. */
export function openDevPage(source: DevPageSource): (event: RequestEvent) => Promise<Response> {
  const { options, services, credentials, send, server = {} } = source;
  const memory = memories.get(server) ?? { visitors: createVisitors(), calls: [] };
  memories.set(server, memory);
  const { visitors } = memory;

  function choose(shopId: number, name: TokenMethod | undefined) {
    const shop = options.shops.find((each) => each.shopId === shopId);
    if (shop === undefined) throw new RpcError("unknown_shop", { detail: String(shopId) });
    const transports = credentials.enabled.get(shop) ?? [];
    const find = (wanted: TokenMethod | undefined) =>
      transports.find((transport) => transport.name === wanted);
    const transport = (find(name) ?? find(shop.session.tokenMethods[0])) as SessionTransport;
    return { shop, transports, transport, of: services.shops.get(shop) as ShopServices };
  }

  async function observeAll({ shop, transports, transport, of }: ReturnType<typeof choose>) {
    const path = `${options.basePath}/rpc`;
    const states = visitorNames.map(async (name): Promise<[VisitorName, VisitorState]> => {
      const state = await observe(of, transports, visitors[name].headersFor(shop, transport, path));
      return [name, Object.assign({}, state, { cookies: visitors[name].cookies })];
    });
    return Object.fromEntries(await Promise.all(states)) as Record<VisitorName, VisitorState>;
  }

  const requests: Readonly<Record<string, (payload: unknown, event: RequestEvent) => unknown>> = {
    shops: () => ({ shops: options.shops.map((shop) => describeShop(shop, options)) }),

    async state(payload) {
      const { shopId, transport } = await parseInput(stateInput, payload);
      return { visitors: await observeAll(choose(shopId, transport)), calls: memory.calls };
    },

    async document(payload) {
      const { shopId } = await parseInput(stateInput, payload);
      const { shop, transports, of } = choose(shopId, undefined);
      const { createDocument } = await import("#openapi");
      const { methods } = of;
      const serverUrl = options.basePath;
      return createDocument({ shop, methods, transports, serverUrl, needsShopHeader: true });
    },

    async forget(payload) {
      const { visitor, shopId, transport } = await parseInput(forgetInput, payload);
      visitors[visitor].forget();
      return { visitors: await observeAll(choose(shopId, transport)) };
    },

    async call(payload, event) {
      const input = await parseInput(callInput, payload);
      const { visitor, shopId, method: name, headers = {} } = input;
      const chosen = choose(shopId, input.transport);
      const before = await observeAll(chosen);
      const exchange = await sendCall(
        {
          visitor: visitors[visitor],
          shop: chosen.shop,
          transport: chosen.transport,
          name,
          method: Object.hasOwn(chosen.of.methods, name) ? chosen.of.methods[name] : undefined,
          verb: input.verb ?? "POST",
          payload: input.payload,
          headers,
          origin: new URL(event.req.url).origin,
          ip: event.ip,
        },
        options.basePath,
        credentials,
        send,
      );
      const after = await observeAll(chosen);
      const changes = visitorNames.flatMap((each) =>
        listChanges(withoutCookies(before[each]), withoutCookies(after[each])).map((change) =>
          Object.assign({}, change, { visitor: each }),
        ),
      );
      const listed: ListedCall = {
        number: (memory.calls[0]?.number ?? 0) + 1,
        at: Date.now(),
        visitor,
        shopId,
        method: name,
        changes,
        ...exchange,
      };
      memory.calls = [listed, ...memory.calls].slice(0, mostCalls);
      return { visitors: after, calls: memory.calls };
    },
  };

  return async function answer(event) {
    const { pathname } = new URL(event.req.url);
    // A server can mount the storefront at a prefix.
    const name = pathname.slice(pathname.lastIndexOf(devPagePath) + devPagePath.length + 1);
    if (event.isRead) return respondWithFile(name);
    const run = Object.hasOwn(requests, name) ? requests[name] : undefined;
    if (run === undefined) throw new RpcError("unknown_path");
    event.assertVerb("POST");
    // A call of the limit's size must reach the storefront, which rejects it itself if it is larger.
    const payload = await readPayload(event, 2 * options.maxBodySize + 10_000);
    return Response.json(await run(payload, event), { statusText: "OK", headers: pageHeaders });
  };
}

// --- Internal helpers ---

const visitorNames = ["A", "B"] as const;

/** The state of the page between its requests. */
const memories = new WeakMap<
  object,
  {
    readonly visitors: Readonly<Record<VisitorName, Visitor>>;
    /** The latest one first. */
    calls: readonly ListedCall[];
  }
>();

function createVisitors(): Readonly<Record<VisitorName, Visitor>> {
  return { A: new Visitor(), B: new Visitor() };
}

/** The list has this many calls. */
const mostCalls = 50;

const transport = z.optional(z.enum(tokenMethods));
const stateInput = z.strictObject({ shopId: z.int(), transport });
const visitor = z.enum(visitorNames);
const forgetInput = z.strictObject({ visitor, shopId: z.int(), transport });
const headerValue = z.optional(z.string().check(z.maxLength(1000)));
const callInput = z.strictObject({
  visitor,
  shopId: z.int(),
  transport,
  method: z.string().check(z.minLength(1), z.maxLength(200)),
  verb: z.optional(z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"])),
  payload: z.optional(z.unknown()),
  headers: z.optional(z.strictObject({ "idempotency-key": headerValue, "if-match": headerValue })),
});

/** The response of a call shows its cookies. */
function withoutCookies({ session, basket, wishlist }: VisitorState): Observation {
  return { session, basket, wishlist };
}

/** A shop for the page. Without a path, the URL of the document can name the default shop only. */
function describeShop(
  { shopId, isDefault, public: { locale, currency, path }, session }: Shop,
  { openApi, basePath }: StorefrontOptions,
) {
  const folder = path === undefined ? basePath : `/${path}${basePath}`;
  const isLinked = openApi && (path !== undefined || isDefault);
  const document = isLinked ? `${folder}/openapi.json` : null;
  return { shopId, locale, currency, transports: session.tokenMethods, document };
}
