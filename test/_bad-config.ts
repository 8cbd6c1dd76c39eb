import { defineRpcMethod } from "../rpc/define-method.ts";
import { ConfigError } from "../server/config/config-error.ts";
import { tokenMethods } from "../server/config/keys/session-keys.ts";
import { resolveConfig } from "../server/config/resolve.ts";

const method = defineRpcMethod({ handler: () => "hello" });
const noop = () => {};

/** Invalid values of keys, and the expected values. */
export const badValues: Readonly<Record<string, readonly [values: unknown[], expected: string]>> = {
  "shops[0].shopId": [[undefined, 0, 1.5, "1001", 2 ** 53, NaN], "a whole number, 1 or more"],
  "shops[0].locale": [[undefined, "", "de_DE", "a b", 7], "a language tag, for example de-DE"],
  "shops[0].currency": [[undefined, "eur", "EURO", "€", null], "a currency code, for example EUR"],
  "shops[0].path": [["", "de/at", "/de", "dé", 7], "one segment of a path"],
  "shops[0].host": [
    [
      "",
      "Shop.Example",
      "https://shop.example",
      "*",
      "*.",
      "a.*.example",
      "**.example",
      "a.example:65536",
      [],
      [7],
    ],
    "a host name in lower case",
  ],
  "shops[0].realm": [["", 7], "a name of 1 to 64 characters"],
  "shops[0].isDefault": [["yes", 1], "true or false"],
  "shops[0].session": [["lax", null, []], "an object"],
  "shops[0].session.maxAge": [["1d"], "a whole number of seconds, 1 or more"],
  shops: [[undefined, {}, "de"], "a list of shops"],
  session: [["lax", null, []], "an object"],
  "session.cookieName": [
    ["", "a b", "a=b", "a;b", "é", "x".repeat(65)],
    "a cookie name: letters, digits and",
  ],
  "session.sameSite": [["Lax", "", true], '"strict" or "lax" or "none"'],
  "session.maxAge": [
    [0, -1, 1.5, "1d", null, Infinity, 400 * 86_400 + 1],
    "a whole number of seconds, 1 or more (400 days at most)",
  ],
  "session.idleTimeout": [[0, 0.5], "a whole number of seconds, 1 or more (400 days at most)"],
  "session.absoluteTimeout": [[0, "9"], "a whole number of seconds, 1 or more"],
  "session.guestIdleTimeout": [
    [0, "1h"],
    "a whole number of seconds, 1 or more (400 days at most)",
  ],
  "session.guestAbsoluteTimeout": [[-1, {}], "a whole number of seconds, 1 or more"],
  "session.renewAfter": [[0, "4h"], "a whole number of seconds, 1 or more"],
  "session.freshFor": [[0, 86_401], "a whole number of seconds, 1 or more (1 day at most)"],
  "session.maxSessionsPerUser": [[0, 2.5, Infinity], "a whole number, 1 or more"],
  "session.sessionLimitPolicy": [["endNewest", true], '"endOldest" or "refuse"'],
  "session.encryptionKeys": [["short", [], 7, null], "a key of 32 characters or more"],
  "session.secret": [["", [], [""], [undefined], {}, 7, null], "a secret"],
  "session.domain": [["", "https://shop.example", "shop.example:80"], "a domain name"],
  "session.secure": [["yes", null], 'true, false or "auto"'],
  "session.partitioned": [["no", 0], "true or false"],
  "session.tokenMethod": [
    ["token", [], ["cookie", 7], null],
    `${tokenMethods.map((name) => `"${name}"`).join(", ")} or a list of them`,
  ],
  "session.authTokenHeaderKey": [
    ["", "a b", "set-cookie", "Vary"],
    "a header name without another meaning",
  ],
  "session.cache": [[true, 60, null], "false or an object"],
  "cors.origin": [
    ["*", ["*"], ["https://*.shop.example"], ["https://shop.example/"], [7]],
    "a list of origins",
  ],
  "cors.credentials": [["include"], "true or false"],
  "cors.allowedHeaders": [["*", ["*"], ["x y"], [""]], "a list of header names"],
  "cors.maxAge": [[0, 86_401], "a whole number of seconds, 1 or more"],
  "shops[0].cors": [["*"], "an object"],
  "session.provider": [["redis", { driver: "redis" }], "set the driver in storage.session"],
  "shops[0].session.provider": [["redis"], "set the driver in storage.session"],
  storage: [["memory", null], "an object"],
  "storage.session": [["memory", {}, { url: "x" }, { driver: 7 }, null, 7], "a driver object, or"],
  "storage.basket.driver": [["reddis", "constructor", ""], "the name of an unstorage driver"],
  "shops[0].storage.session.driver": [["reddis"], "the name of an unstorage driver"],
  "basket.mergeStrategy": [["sum"], '"merge" or "useGuest"'],
  "basket.maxItems": [[0, "9"], "a whole number, 1 or more"],
  "basket.maxQuantity": [[0.5], "a whole number, 1 or more"],
  "wishlist.maxItems": [[-1], "a whole number, 1 or more"],
  shopSelector: [["host", ""], '"path" or "domain" or "path_or_default"'],
  basePath: [
    ["/..", "/api/.", "/./api", "", "/", "api", "/api/", "/a b", "/a//b"],
    "a path, for example /api",
  ],
  publicUrl: [
    [
      "",
      "shop.example",
      "ftp://shop.example",
      "https://a:b@shop.example",
      "https://a.example/?b",
      7,
    ],
    "the URL that browsers see",
  ],
  problemTypes: [
    [
      "",
      "errors/",
      "//docs.example/",
      "/\\docs.example/",
      "ftp://docs.example/",
      "https://docs.example",
      "https://docs.example/errors",
      "https://a:b@docs.example/",
      "https://docs.example/?code=/",
      "https://docs.example/#/",
      "https://docs.example/a b/",
      7,
    ],
    "an http(s) URL or a path, with / at its end",
  ],
  maxBodySize: [[0, "1mb", 1.5], "a whole number of bytes, 1 or more"],
  callTimeout: [[0, "30s"], "a whole number of seconds, 1 or more"],
  loginAttempts: [[true, 10, null], "false or an object"],
  "loginAttempts.perAccount": [[0, "10"], "a whole number, 1 or more"],
  admin: [["token", true], "an object"],
  "admin.token": [["", "short", [], 7], "a token of 32 characters or more"],
  server: [[7, null], "an object"],
  "server.keepAliveTimeout": [[0, 0.5, "65"], "a whole number of seconds, 1 or more"],
  "server.headersTimeout": [[0, 86_401], "a whole number of seconds, 1 or more"],
  "server.requestTimeout": [[-1, null], "a whole number of seconds, 1 or more"],
  "server.maxConnections": [[0, Infinity], "a whole number, 1 or more"],
  "server.drainDelay": [[-1, 0.5, 3601, "5"], "a whole number of seconds, 0 to 3600"],
  "server.drainTimeout": [[0, "10s"], "a whole number of seconds, 1 or more"],
  trustProxy: [
    ["loopback", 1, [1], ["10.0.0.0/33"], ["loop-back"], ["10.0.0.1:80"], ["proxy.example"], [""]],
    "true, false, or a list of addresses",
  ],
  log: [
    [{}, { debug: noop, info: noop, error: noop }, noop, { calls: "none" }, { slowerThan: 0 }],
    "debug, info, warn and error",
  ],
  auth: [
    [
      {},
      { login: noop, register: noop },
      { login: noop, register: noop, changePassword: noop, updateUser: true },
      { login: noop, register: noop, changePassword: noop, resetPassword: null },
    ],
    "an object with the functions login, register, changePassword, and optionally others: see docs/accounts.md",
  ],
  mailer: [[{}, "smtp://localhost", null], "a function that gets a message and sends it"],
  methods: [[[method], "hello", null], "an object of methods"],
  "methods.greet": [
    [
      noop,
      {},
      { handler: noop },
      { access: "admin", handler: noop },
      { access: "session", handler: noop, output: noop },
      { ...method, input: { name: "string" } },
    ],
    "a method made by defineRpcMethod",
  ],
  "hooks.storefront:rpc:after": [["log", {}], "a function"],
  // Unknown keys.
  sesion: [[{}], "one of the keys shops, basePath, shopSelector, methods,"],
  "session.maxage": [[60], "one of the keys cookieName, sameSite, maxAge,"],
  "session.httpOnly": [[false], "one of the keys cookieName, sameSite, maxAge,"],
  "shops[0].session.httpOnly": [[false], "one of the keys cookieName, sameSite, maxAge,"],
  "shops[0].name": [["Shop"], "one of the keys shopId, locale,"],
  "shops[0].storage.account": [[{ driver: "memory" }], "one of the keys session, basket"],
  "hooks.storefront:afterlogin": [[noop], "one of the keys storefront:context:created,"],
  ...Object.fromEntries(
    [
      "__proto__",
      "constructor",
      "toString",
      "hasOwnProperty",
      "get-basket",
      "1a",
      "then",
      "catch",
      "toJSON",
      "toBSON",
      "inspect",
      "hasAttribute",
      "setHeader",
    ].map((name) => [`methods.${name}`, [[method], "another name: letters, digits and _"]]),
  ),
};

/** Returns the error message for a config. @throws Error if the config is valid */
export function refuse(config: unknown, mode = { production: false }): ConfigError {
  try {
    resolveConfig(config, mode);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("The config was not refused");
}
