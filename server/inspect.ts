import { systemClock } from "../storage/clock.ts";
import { measureChangeDelay } from "../storage/documents/change-delay.ts";
import type { StorefrontOptions } from "./config/options.ts";
import { createCookieTransport } from "./credentials/cookie.ts";
import type { RequestEvent } from "./request.ts";
import type { Services } from "./services.ts";

/** The result of the admin call `inspect`: the request as it arrived, and the state of this server's storages. */
export interface Inspection {
  /** Milliseconds since 1970 by the clock of this process. */
  readonly time: number;
  /** The client's address. */
  readonly ip: string | undefined;
  /** The scheme and host of the client's URL. */
  readonly origin: string;
  /** Whether `trustProxy` contains the peer. */
  readonly isTrusted: boolean;
  /** The names of the headers of proxies that arrived. */
  readonly proxyHeaders: readonly string[];
  /** The same values as the response's `Set-Cookie` headers, in their order. They delete the session cookie. */
  readonly cookies: readonly string[];
  readonly storages: readonly InspectedStorage[];
  /** The connections of proxies that this process has closed since its start, because they were idle for too long. */
  readonly idleConnections: number;
}

export interface InspectedStorage {
  /** The kinds of data in it. */
  readonly uses: string;
  readonly driver: string;
  /** The time of a write and a read; absent if the storage failed. */
  readonly milliseconds?: number | undefined;
  /** The policy of a Redis that evicts keys. */
  readonly evictionPolicy?: string | undefined;
  /** The used share of the memory of a Redis with a limit, from 0 to 1. */
  readonly memoryUse?: number | undefined;
  /** Seconds until this server learned of a change, if the storage pushes changes. */
  readonly changeDelay?: number | undefined;
}

/** Creates the function that inspects a request and this server. */
export function createInspect(
  { shops }: StorefrontOptions,
  { stores, descriptions, clock }: Services,
  counts: { readonly closedIdle: number },
): (event: RequestEvent) => Promise<Inspection> {
  const transports = shops
    .filter(({ session }) => session.tokenMethods.includes("cookie"))
    .map(({ session }) => createCookieTransport(session, clock));
  return async (event) => {
    const time = clock.now();
    const isSecure = event.url.protocol === "https:";
    const cookies = transports.flatMap((each) =>
      each.clear("", isSecure).map(([, value]) => value),
    );
    const storages = await Promise.all(
      stores.map(async (store, index): Promise<InspectedStorage> => {
        const { uses = "", driver = "" } = descriptions[index] ?? {};
        const start = systemClock.monotonic();
        try {
          await store.ping();
          const milliseconds = systemClock.monotonic() - start;
          const { evictionPolicy, memoryUse } = await store.inspect();
          const changeDelay = await measureChangeDelay(store);
          return { uses, driver, milliseconds, evictionPolicy, memoryUse, changeDelay };
        } catch {
          return { uses, driver };
        }
      }),
    );
    return {
      time,
      ip: event.ip,
      origin: event.url.origin,
      isTrusted: event.isTrusted,
      proxyHeaders: proxyHeaders.filter((name) => event.headers.has(name)),
      cookies,
      storages,
      idleConnections: counts.closedIdle,
    };
  };
}

// --- Internal helpers ---

const proxyHeaders = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
