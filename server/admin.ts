import * as z from "zod/mini";
import { boundedText } from "../rpc/schema.ts";
import { maxTagLength } from "../rpc/cache/cache-arguments.ts";
import type { ShopServices } from "../rpc/shop-services.ts";
import { RpcError } from "../rpc/error.ts";
import { endSessions, incompleteEnd } from "../rpc/session/end-sessions.ts";
import { parseInput } from "../rpc/dispatch.ts";
import type { SessionGenerations } from "../storage/sessions/generations.ts";
import { isUserId } from "../storage/sessions/session-record.ts";
import { createInspect } from "./inspect.ts";
import type { Services } from "./services.ts";
import type { RequestEvent } from "./request.ts";
import { createOperatorCheck } from "./operator.ts";
import type { StorefrontOptions } from "./config/options.ts";
import { readPayload } from "./payload.ts";
import { assertConfigured } from "./rpc-handler.ts";
import type { PlainRoute } from "./router.ts";

/**
 * Creates the routes of admin calls, `POST <basePath>/admin/<call>` with the admin token. Without a token in the
 * config, it creates no routes.
 * - `endUserSessions` `{userId, shopIds?}` returns `{ended}` (ASVS 5.0, 7.4.5). With `complete: false`, the user's
 * index was lost, and sessions can stay active.
 * - `endAllSessions` `{shopIds?}` returns `{shopIds}`. It takes one write per storage.
 * - `invalidateCache` `{tags, shopIds?}` returns `{shopIds}`. It makes cached values with one of these tags invalid.
 * - `inspect` returns the request as it arrived, and the state of the storages, for `storefront doctor --url`.
 */
export function createAdmin(
  options: StorefrontOptions,
  all: Services,
  counts: { readonly closedIdle: number },
): PlainRoute[] {
  if (options.adminTokens.length === 0) return [];
  const { shops, sweepers } = all;
  const inspect = createInspect(options, all, counts);
  const services = new Map([...shops].map(([{ shopId }, shop]) => [shopId, shop]));
  /** Each can add headers to the response. */
  const calls: Readonly<
    Record<string, (payload: unknown, event: RequestEvent, headers: Headers) => Promise<unknown>>
  > = {
    async endUserSessions(payload) {
      const { userId, shopIds } = await parseInput(userSessions, payload);
      const chosen = choose(services, shopIds);
      const indexes = new Set([...chosen.values()].flatMap(({ realm }) => realm.users));
      const isSpared = ({ shopId }: { readonly shopId: number }) => !chosen.has(shopId);
      const { ended, isComplete } = await endSessions(indexes, userId, isSpared);
      if (!isComplete) options.log.warn(incompleteEnd, { userId });
      return { ended: ended.length, ...(!isComplete && { complete: false }) };
    },
    async endAllSessions(payload) {
      const { shopIds } = await parseInput(allSessions, payload);
      const chosen = choose(services, shopIds);
      const idsByStorage = new Map<SessionGenerations, number[]>();
      for (const [shopId, { generations }] of chosen) {
        idsByStorage.set(generations, [...(idsByStorage.get(generations) ?? []), shopId]);
      }
      await Promise.all([...idsByStorage].map(([storage, ids]) => storage.advance(ids)));
      for (const sweeper of sweepers) sweeper.hurry();
      return { shopIds: [...chosen.keys()] };
    },
    async invalidateCache(payload) {
      const { tags, shopIds } = await parseInput(cacheTags, payload);
      const chosen = choose(services, shopIds);
      await Promise.all([...chosen.values()].map(({ cache }) => cache.invalidate(tags)));
      return { shopIds: [...chosen.keys()] };
    },
    async inspect(_, event, headers) {
      const inspection = await inspect(event);
      for (const cookie of inspection.cookies) headers.append("set-cookie", cookie);
      return inspection;
    },
  };
  const assertOperator = createOperatorCheck(options);
  async function answer(event: RequestEvent, name: string): Promise<Response> {
    assertConfigured(options);
    assertOperator(event, name);
    const call = calls[name];
    if (call === undefined) throw new RpcError("unknown_method");
    event.assertVerb("POST");
    const headers = new Headers({ "cache-control": "no-store" });
    const result = await call(await readPayload(event, options.maxBodySize), event, headers);
    options.log.info("An admin call was made", { call: name, ip: event.ip });
    return Response.json(result, { statusText: "OK", headers });
  }
  const folder = `${options.basePath}/admin`;
  return [
    ...Object.keys(calls).map((name) => ({
      path: `${folder}/${name}`,
      answer: (event: RequestEvent) => answer(event, name),
    })),
    {
      path: `${folder}/**`,
      answer: (event) => answer(event, ""),
    },
  ];
}

// --- Internal helpers ---

const shopIds = z.optional(z.array(z.int().check(z.positive())).check(z.minLength(1)));

const userSessions = z.strictObject({
  userId: z.custom<string | number>(isUserId, {
    error: "Expected a positive integer or a string of 1 to 64 characters",
  }),
  shopIds,
});

const cacheTags = z.strictObject({
  tags: z.array(boundedText(maxTagLength)).check(z.minLength(1), z.maxLength(1000)),
  shopIds,
});

const allSessions = z.prefault(z.strictObject({ shopIds }), {});

/** @throws RpcError `unknown_shop` */
function choose(
  services: ReadonlyMap<number, ShopServices>,
  chosen: readonly number[] = [...services.keys()],
): ReadonlyMap<number, ShopServices> {
  return new Map(
    chosen.map((shopId) => {
      const found = services.get(shopId);
      if (found === undefined) throw new RpcError("unknown_shop", { detail: String(shopId) });
      return [shopId, found];
    }),
  );
}
