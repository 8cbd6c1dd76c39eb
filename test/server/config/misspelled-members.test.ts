import { describe, expect, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { resolveConfig } from "../../../server/config/resolve.ts";
import { openTelemetry } from "../../../adapters/opentelemetry.ts";
import { prometheus } from "../../../adapters/prometheus.ts";
import { medusa } from "../../../adapters/medusa.ts";
import { vendure } from "../../../adapters/vendure.ts";
import { refuse } from "../../_bad-config.ts";
import { development, shop } from "../../fixtures/configs.ts";

const noop = () => {};
const auth = { login: noop, register: noop, changePassword: noop };
const list = { read: noop, set: noop };

class Accounts {
  static readonly dialect = "sql";
  readonly pool = {};
  login() {}
  register() {}
  changePassword() {}
}

class MisspelledAccounts extends Accounts {
  resetPasword() {}
}

/** Accounts with functions of their own: none of them is a misspelled optional one. */
class ExtendedAccounts extends Accounts {
  updateUser() {}
  updateUsers() {}
  createUser() {}
  deleteUser() {}
  hashPassword() {}
  checkPassword() {}
  setPassword() {}
  findUser() {}
  send() {}
  resetPasswords = new Map<string, string>();
  verifyEmails = 0;
  changedEmail: string | undefined;
  _verifyPassword() {}
  $verifyEmail() {}
}

const misspelled: Readonly<Record<string, readonly [config: object, meant: string]>> = {
  "auth.resetPasword": [{ auth: { ...auth, resetPasword: noop } }, "resetPassword"],
  "auth.verifyMail": [{ auth: { ...auth, verifyMail: noop } }, "verifyEmail"],
  "auth.updateuser": [{ auth: { ...auth, updateuser: noop } }, "updateUser"],
  "auth.requestPaswordRest": [
    { auth: { ...auth, requestPaswordRest: noop } },
    "requestPasswordReset",
  ],
  "commerce.accounts.resetPasword": [
    { commerce: { name: "own", accounts: new MisspelledAccounts() } },
    "resetPassword",
  ],
  "commerce.basket": [{ commerce: { name: "own", basket: list } }, "baskets"],
  "commerce.grants.begins": [{ commerce: { name: "own", grants: { begins: noop } } }, "begin"],
  "commerce.baskets.addcode": [
    { commerce: { name: "own", baskets: { ...list, addcode: noop } } },
    "addCode",
  ],
  "commerce.wishlists.joinAtLogin": [
    { commerce: { name: "own", wishlists: { ...list, joinAtLogin: true } } },
    "joinsAtLogin",
  ],
  "shops[0].commerce.grants.endAll": [
    { shops: [{ ...shop, commerce: { name: "own", grants: { end: noop, endAll: true } } }] },
    "endsAll",
  ],
  "telemetry[1].calls": [{ telemetry: [prometheus(), { name: "own", calls: noop }] }, "call"],
  "methods.greet.inptu": [
    { methods: { greet: { access: "public", handler: noop, inptu: z.string() } } },
    "input",
  ],
};

describe("resolveConfig", () => {
  test.each(Object.entries(misspelled))(
    "rejects the misspelled member %s",
    (path, [config, meant]) => {
      const { faults, message } = refuse({ shops: [shop], ...config });
      expect(faults.map((fault) => fault.path)).toEqual([path]);
      expect(message).toContain(`; did you mean ${meant}? (SF001)`);
    },
  );

  test("rejects a schema under a name that is no option of a method", () => {
    const greet = { access: "public", handler: noop, schema: z.string() };
    const { faults } = refuse({ shops: [shop], methods: { greet } });
    expect(faults).toMatchObject([
      { path: "methods.greet.schema", expected: "no such option; the schema in input or output" },
    ]);
  });

  test.each([
    { auth: new ExtendedAccounts() },
    { auth: { ...auth, resetPassword: noop, resetPasswords: noop, db: {} } },
    { auth: Object.assign(() => {}, auth) },
    { auth: Object.assign(Object.create(null) as object, auth) },
    { commerce: { name: "own", grants: {}, checkout: noop, cart: {} } },
    { commerce: { name: "own", account: "tenant-7", checks: 0, timeouts: {}, baskets: list } },
    { commerce: { name: "own", grants: { begin: noop, endAll: noop, lifetimes: {} } } },
    { telemetry: [{ name: "own", calls: 0, sessions: new Map(), caches: [], revoked: noop }] },
    { commerce: vendure({ url: "http://localhost", channel: "de" }) },
    { commerce: medusa({ url: "http://localhost", publishableKey: "pk", regionId: "de" }) },
    { telemetry: [prometheus(), openTelemetry(), { name: "own", flush: noop, send: noop }] },
    { methods: { greet: { ...defineRpcMethod({ handler: noop }), inputs: z.string(), verbs: 1 } } },
  ])("accepts members of their own, also with names similar to a function's: %#", (config) => {
    expect(() => resolveConfig({ shops: [shop], ...config }, development)).not.toThrow();
  });

  test.each([
    { commerce: { name: "own", grants: { begin: true } } },
    { commerce: { name: "own", grants: null } },
    { commerce: { name: "own", baskets: { ...list, joinsAtLogin: "yes" } } },
    { commerce: { name: "own", check: "GET /health" } },
    { telemetry: [{ name: "own", call: "log" }] },
    { telemetry: [{ name: "own", metrics: { contentType: "text/plain", mesure: noop } }] },
  ])("rejects a member of a wrong type: %#", (config) => {
    const [key] = Object.keys(config);
    expect(refuse({ shops: [shop], ...config }).faults).toMatchObject([{ path: key }]);
  });
});
