import { inspect } from "node:util";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { RpcError } from "../../../rpc/error.ts";
import type { HookEvent } from "../../../rpc/hooks.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { Redactor } from "../../../rpc/redaction/redactor.ts";
import { createSetup } from "../../_setup.ts";
import { CookieClient } from "../../_cookie-client.ts";

const hidden = "[redacted]";
const adminToken = "an-admin-token-of-more-than-32-characters";
const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

const methods = {
  tell: defineRpcMethod({
    access: "public",
    handler: (_, { ip, log }) => log.warn("The call came from here", { ip }),
  }),
  echo: defineRpcMethod({
    input: z.object({ note: z.string() }),
    handler: ({ note }, { log }) => log.warn(`Said ${note}`, { list: [note] }),
  }),
};

describe("a credential of another program", () => {
  test.each<[string, Record<string, string>]>([
    ["cookies", { cookie: "a=127.0.0.1; b=1001; c=The call came from here" }],
    ["cookies of our name", { cookie: "$session-1001=127.0.0.1; $session-1002=here" }],
    ["a token", { authorization: "Bearer 127.0.0.1" }],
    ["a login", { authorization: "Basic 127.0.0.1", "proxy-authorization": "here" }],
  ])("leaves the log lines of its call unchanged: %s", async (_, headers) => {
    const { app, lines } = await start({ methods });
    const client = new CookieClient(async (path, init) =>
      app.fetch(Object.assign(new Request(`http://localhost${path}`, init), { ip: "127.0.0.1" })),
    );
    await client.call("tell", undefined, headers);
    expect(lines).toMatchObject([
      {
        message: "The call came from here",
        details: { ip: "127.0.0.1", shopId: 1001, method: "tell" },
      },
    ]);
  });
});

test("a log line shows a signed cookie of another program in the log", async () => {
  const { lines, client } = await start({ methods });
  const note = `s:another.${"A".repeat(43)}`;
  await client().call("echo", { note }, { cookie: `connect.sid=${note}` });
  expect(lines).toMatchObject([{ message: `Said ${note}` }]);
});

describe("a credential of this server", () => {
  test("never appears in log lines, encoded or decoded: a cookie", async () => {
    const { lines, client } = await start({ methods });
    const user = client();
    await user.call("addItemToBasket", { variantId: 7, quantity: 1 });
    const raw = user.cookies.get("$session-1001") as string;
    for (const note of [raw, decodeURIComponent(raw)]) {
      lines.length = 0;
      await user.call("echo", { note });
      expect(lines).toMatchObject([{ message: `Said ${hidden}`, details: { list: [hidden] } }]);
    }
  });

  test("never appears in log lines: a bearer token, of this shop or another", async () => {
    const { lines, client } = await start({ methods, session: { tokenMethod: "bearer" } });
    const added = await client().call("addItemToBasket", { variantId: 7, quantity: 1 });
    const token = added.headers.get("storefront-auth-token") as string;
    for (const shopId of [1001, 1002]) {
      lines.length = 0;
      const headers = { authorization: `Bearer ${token}` };
      await client(shopId).call("echo", { note: token }, headers);
      expect(lines).toMatchObject([{ message: `Said ${hidden}` }]);
    }
  });

  test("never appears in log lines: an admin token in a call of a method", async () => {
    const { lines, client } = await start({ methods, admin: { token: adminToken } });
    const headers = { authorization: `Bearer ${adminToken}` };
    await client().call("echo", { note: adminToken }, headers);
    expect(lines).toMatchObject([{ message: `Said ${hidden}` }]);
  });
});

test("the redactor finds a secret of any length, and nothing else", () => {
  const long = Array.from({ length: 3000 }, (_, index) => `${index}.`).join("");
  for (const length of [256, 257, 512, 513, 3000, long.length]) {
    const redactor = new Redactor();
    redactor.addSource(() => [long.slice(0, length)]);
    const text = redactor.redact(`before ${long.slice(0, length)} after 1.2.`);
    expect(text.replaceAll(hidden, ""), `${length}`).toBe("before  after 1.2.");
  }
});

describe("a secret in base64", () => {
  const secret = "hunter2?>ÿ-and-more";
  const redactor = new Redactor();
  redactor.addSource(() => [secret]);

  test.each([encode(secret), encode(secret).replace(/=+$/, ""), encode(secret, "base64url")])(
    "gets redacted as a whole: %s",
    (text) => {
      expect(redactor.redact(`got ${text}, and`)).toBe(`got ${hidden}, and`);
    },
  );

  test.each(["a:", "ab:", "ada@example.com:", "user", "users:"])(
    "gets redacted behind other data, as in Basic authorization: %s",
    (user) => {
      for (const encoding of ["base64", "base64url"] as const) {
        const shown = redactor.redact(encode(`${user}${secret} and the rest`, encoding));
        expect(shown).toContain(hidden);
        const bytes = shown.split(hidden).map((part) => Buffer.from(part, encoding).toString());
        expect(bytes.join(" ")).not.toMatch(/unter|nd-mo/);
      }
    },
  );

  test("isn't searched for if its part would be found by chance", () => {
    const short = new Redactor();
    short.addSource(() => ["1001"]);
    expect(short.redact("MTAw MDAx A call failed MTAwMQ==")).toBe(
      `MTAw MDAx A call failed ${hidden}`,
    );
  });
});

describe("a payload field with the name of a secret, in a method without secret()", () => {
  const fields = { name: z.string(), login: z.looseObject({}) };
  const payload = {
    name: "ada",
    login: {
      password: "zqjxvkwp",
      oldPasswort: "zqjxvkwq",
      userPwd: "zqjxvkwr",
      apiToken: 47114711,
      passphrases: ["zqjxvkws"],
      "Pass word": "zqjxvkwv",
      passCode: "zqjxvkww",
      clientSecret: { value: "zqjxvkwu" },
      cookieConsent: "analytics",
    },
  };

  test.each([
    ["zod", z.object(fields)],
    ["another library", v.looseObject({ name: v.string() })],
  ])("never appears in hooks, log lines, and problem details: %s", async (_, input) => {
    const seen: unknown[] = [];
    const see = ({ payload: told }: HookEvent) => void seen.push(told);
    const { lines, client } = await start({
      hooks: { "storefront:rpc:before": see, "storefront:rpc:error": see },
      methods: {
        quote: defineRpcMethod({
          input,
          handler(given, { log }) {
            log.warn(`Said ${inspect(given)}`, { given });
            throw new RpcError("quoted", {
              status: 400,
              title: "Quoted",
              detail: inspect(given),
              data: [`Said ${JSON.stringify(given)}`],
            });
          },
        }),
      },
    });
    const { body } = await client().call("quote", payload);
    const texts = inspect([seen, lines, body], { depth: 20 });
    expect(texts).not.toMatch(/zqjxvkw[pqrsu-w]|47114711/);
    expect(body.detail).toContain("ada");
    expect(body.detail).toContain("analytics");
  });
});

test("the server sends the data of an RpcError under any name, without the secrets of its call", async () => {
  const { client } = await start({
    methods: {
      fail: defineRpcMethod({
        input: z.object({ password: z.string() }),
        handler({ password }) {
          const data = { retryToken: "abc-def", said: password };
          throw new RpcError("later", { status: 409, title: "Later", data });
        },
      }),
    },
  });
  const { body } = await client().call("fail", { password: "zqjxvkwp" });
  expect(body.data).toEqual({ retryToken: "abc-def", said: hidden });
});

// --- Internal helpers ---

function encode(text: string, encoding: "base64" | "base64url" = "base64"): string {
  return Buffer.from(text).toString(encoding);
}
