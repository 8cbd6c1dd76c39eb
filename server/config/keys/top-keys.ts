import * as z from "zod/mini";
import { isProbe } from "../../../rpc/client/probe-names.ts";
import { findUnknownOptions, isSchema } from "../../../rpc/definition.ts";
import type { Mailer } from "../../../rpc/accounts/mailer.ts";
import { hookNames, type Hooks } from "../../../rpc/hooks.ts";
import { toVerb, type RpcMethod, type RpcMethods } from "../../../rpc/method.ts";
import { messageOf } from "../../../shared/log.ts";
import { authKey } from "./auth-key.ts";
import { commerceKey } from "./commerce-key.ts";
import { logKey } from "./log-key.ts";
import { isFunction } from "./open-object.ts";
import { telemetryKey } from "./telemetry-key.ts";
import { isProxyRange } from "../proxy-ranges.ts";
import {
  boolean,
  byDefault,
  count,
  day,
  hasFunctions,
  listOf,
  objectOf,
  oneOf,
  seconds,
  text,
  value,
  type KeyTable,
} from "./config-key.ts";

/** How a call without the header `x-shop-id` finds its shop. */
export type ShopSelector = "path" | "domain" | "path_or_default";

export const topKeys = {
  /** Methods are at `<basePath>/rpc/<method>`. @default "/api" */
  basePath: {
    ...text(/^(?:\/(?!\.\.?(?:\/|$))[A-Za-z0-9_.~-]+)+$/, "a path, for example /api"),
    default: "/api",
  },
  /** How a call without the header `x-shop-id` finds its shop: by `path`, by `domain`, or `path_or_default`. @default "path_or_default" */
  shopSelector: {
    ...oneOf<ShopSelector>("path", "domain", "path_or_default"),
    default: "path_or_default",
  },
  /** Your methods. A method with the name of a built-in one replaces it: see docs/rpc.md. @default none */
  methods: { ...methods(), default: {} },
  /** Functions that run before and after calls: see docs/rpc.md. @default none */
  hooks: { ...hooks(), default: {} },
  /** Your customer accounts: the functions `login`, `register`, `changePassword`, and others. See docs/accounts.md. @default accounts in `storage.account` */
  auth: authKey,
  /** Sends the mails of the built-in accounts: for a forgotten password, for a new email address, and after changes. See docs/accounts.md. @default none: nobody can reset a password */
  mailer: value<Mailer>(isFunction, "a function that gets a message and sends it"),
  /** The commerce system of all shops, for example Vendure: see docs/commerce.md. @default none: the server itself stores baskets and accounts */
  commerce: commerceKey,
  /** The most bytes of a request body. @default 100000 */
  maxBodySize: { ...count(" of bytes"), default: 100_000 },
  /** Seconds after which the server aborts a call and responds 504. @default 30 */
  callTimeout: { ...seconds(day), default: 30 },
  /** Proxies whose `X-Forwarded-*` headers are trusted: addresses, ranges (`10.0.0.0/8`), or the names `loopback`, `linklocal`, and `uniquelocal`. `true` trusts every peer. @default false */
  trustProxy: {
    ...listOf<boolean | readonly string[]>(
      isProxyRange,
      "true, false, or a list of addresses, ranges (for example 10.0.0.0/8), and the names loopback, linklocal, uniquelocal",
      { isOther: (found) => typeof found === "boolean" },
    ),
    default: false,
    visibility: "public",
  },
  /** Finds the IP address of a request's client or nearest proxy, if the server around the storefront names it in its own way: see docs/mounting.md. @default the address of the connection */
  clientAddress: value<(request: Request) => string | undefined>(
    isFunction,
    "a function that gets a Request and returns an IP address, or undefined",
  ),
  /** The URL that browsers see, for example `https://shop.example`, if a proxy rewrites `Host`: see docs/cors.md. @default none */
  publicUrl: {
    ...value<string>(isPublicUrl, "the URL that browsers see, for example https://shop.example"),
    visibility: "public",
  },
  /** Whether the server sends its OpenAPI document at `<basePath>/openapi.json`: see docs/openapi.md. @default false in production, else true */
  openApi: {
    ...boolean,
    derive: (_, { production }) => byDefault(!production),
  },
  /** The URL or the path of your pages about errors. The `type` of an error is then its page, for example `https://docs.shop.example/errors/unknown_shop.html`: see docs/errors.md. @default none: `type` is `about:blank` */
  problemTypes: text(
    /^(?:https?:\/\/[^\s/?#@\\]+)?(?:\/[^\s/?#\\]+)*\/$/,
    "an http(s) URL or a path, with / at its end, for example https://docs.shop.example/errors/",
  ),
  /** Receivers of metrics and traces: `prometheus()` and `openTelemetry()`. See docs/telemetry.md. @default none */
  telemetry: { ...telemetryKey, default: [] },
  /** A logger with `debug`, `info`, `warn`, and `error`: `console`, pino, winston, bunyan, or consola. If your logger takes details first, wrap it: `detailsFirst(log)`. Or `{ logger, calls, slowerThan }`: see docs/telemetry.md. @default lines on standard output and standard error, as JSON in production */
  log: logKey,
} satisfies KeyTable;

// --- Internal helpers ---

function hooks() {
  const names = Object.fromEntries(
    hookNames.map((name) => [name, value(isFunction, "a function")]),
  );
  return { schema: objectOf(names) as z.ZodMiniType<Hooks>, expected: "an object of functions" };
}

/** Not a zod record, because that ignores the key `__proto__`. */
function methods() {
  const expected = "an object of methods";
  const schema = z.custom<RpcMethods>().check(({ value: found, issues }) => {
    const report = (message: string, ...path: string[]) =>
      void issues.push({ code: "custom", path, message, input: found });
    if (typeof found !== "object" || (found as unknown) === null || Array.isArray(found)) {
      report(expected);
      return;
    }
    for (const [name, method] of Object.entries(found)) {
      if (method === undefined) continue;
      if (!isMethodName(name)) {
        report("another name: letters, digits and _, not a name that JavaScript itself uses", name);
      } else if (!isMethod(method)) report("a method made by defineRpcMethod", name);
      else {
        reportContradiction(method, (message) => report(message, name));
        for (const { name: option, meant } of findUnknownOptions(method)) {
          const hint =
            meant === undefined ? "the schema in input or output" : `did you mean ${meant}?`;
          report(`no such option; ${hint}`, name, option);
        }
      }
    }
  });
  return { schema, expected };
}

/** A plain object, or a copy of a method, can have a verb that `defineRpcMethod` has not checked. */
function reportContradiction(method: unknown, report: (message: string) => void): void {
  try {
    toVerb(method as RpcMethod);
  } catch (error) {
    report(`a verb that fits the other options. ${messageOf(error)}`);
  }
}

function isMethod(found: unknown): boolean {
  if (!hasFunctions(found, ["handler"])) return false;
  const { access, input, output } = found as Readonly<Record<string, unknown>>;
  return (
    ["public", "session", "user"].includes(access as string) &&
    [input, output].every((schema) => schema === undefined || isSchema(schema))
  );
}

/** Whether the typed client has a function with this name: not for `then`, `constructor`, and others that libraries read. */
function isMethodName(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(name) || name in Object.prototype) return false;
  if (callerNames.includes(name)) return false;
  return !isProbe(name);
}

/** The properties of a caller for server-side rendering that aren't methods. */
const callerNames: readonly string[] = ["headers", "redirect"];

function isPublicUrl(found: unknown): boolean {
  if (typeof found !== "string" || !URL.canParse(found)) return false;
  const { protocol, username, password, search, hash } = new URL(found);
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === "";
}
