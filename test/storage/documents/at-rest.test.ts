import { inspect } from "node:util";
import { Redis } from "ioredis";
import { beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import type { BaseRpcContext, RpcContext } from "../../../rpc/context.ts";
import { hookNames, type Hooks } from "../../../rpc/hooks.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { secret } from "../../../rpc/redaction/secret.ts";
import type { SessionTokens } from "../../../rpc/session/token-renewals.ts";
import { openDriver } from "../../../storage/open-driver.ts";
import type { StorageConfig } from "../../../storage/documents/driver.ts";
import { describeWithRedis, useRedis } from "../../_redis.ts";
import { createSetup, testSecret, type Setup, type TestStorefront } from "../../_setup.ts";
import { CookieClient, type Answer, type Send } from "../../_cookie-client.ts";
import { testMethods } from "../../fixtures/methods.ts";

const shops = [1001, 1002];
const encryptionKey = "a-key-for-tokens-only-of-more-than-32-characters";
const password = 'correct "horse" ü battery';
const newPassword = "another\\staple 100%";
const tokens = {
  accessToken: "access/token+of=upstream",
  refreshToken: "refresh-token-of-upstream",
};
const nextTokens = { accessToken: "next-access-token", refreshToken: "next-refresh-token" };

const credentials = z.object({
  password: secret(z.string()),
  again: secret(z.string()).optional(),
});
const methods = {
  ...testMethods,
  keep: defineRpcMethod({
    input: secret(z.custom<SessionTokens>()),
    handler: (kept, { updateTokens }) => updateTokens(kept),
  }),
  boast: defineRpcMethod({ input: credentials, handler: boast }),
  boastOpenly: defineRpcMethod({ access: "public", input: credentials, handler: boast }),
  boastToUsers: defineRpcMethod({ access: "user", input: credentials, handler: boast }),
  /** All that a session can give. */
  look: defineRpcMethod({
    async handler(_, { callRpc, customData, readTokens, user }) {
      const lists = await Promise.all([callRpc("getBasket"), callRpc("getWishlist")]);
      return { user, customData, lists, tokens: await readTokens() };
    },
  }),
};

/** The two storages that differ, and how to read all of one past the program. */
function describeStorages(
  tests: (setup: Setup, dump: () => Promise<ReadonlyMap<string, string>>) => void,
): void {
  describe("memory", () => {
    let storage: StorageConfig = { driver: "memory" };
    beforeEach(() => {
      storage = openDriver({ driver: "memory" });
    });
    const setup = createSetup("memory", "request", () => storage);
    tests(setup, async () => {
      const { getInstance } = storage as { getInstance(): Map<string, string> };
      return new Map(getInstance());
    });
  });
  describeWithRedis("redis", () => {
    const redis = useRedis();
    beforeEach(async () => {
      const control = new Redis(redis().url);
      await control.flushall();
      control.disconnect();
    });
    const setup = createSetup("redis", "request", () => ({ driver: "redis", url: redis().url }));
    tests(setup, async () => {
      const control = new Redis(redis().url);
      const keys = await control.keys("*");
      const entries = keys.map(async (key) => [key, (await control.get(key)) ?? ""] as const);
      const all = new Map(await Promise.all(entries));
      control.disconnect();
      return all;
    });
  });
}

describeStorages(({ start, allowErrors }, dump) => {
  const session = {
    secret: testSecret,
    encryptionKeys: encryptionKey,
    tokenMethod: ["cookie", "bearer"] as const,
  };

  test("no stored string logs anyone in, in any shop", { timeout: 60_000 }, async () => {
    allowErrors();
    const storefront = await start({ methods, session });
    const { clients } = await converse(storefront);
    const alive = await Promise.all(clients.map((client) => client.call("look")));
    expect(alive.filter(({ body }) => body.user !== undefined)).toHaveLength(2);
    expect(alive.filter(({ body }) => body.tokens !== undefined)).toHaveLength(3);
    const stored = await dump();
    const nobody = (await storefront.client().call("look")).body;
    const found = [...stored].flatMap(([key, text]) => [...key.split(":"), key, ...textsIn(text)]);
    const tried = new Set(found.flatMap(toCredentials).filter((text) => /^[ -~]+$/.test(text)));
    expect(tried.size).toBeGreaterThan(300);
    for (const shopId of shops) {
      for (const text of tried) {
        const headers = { cookie: `$session-${shopId}=${text}`, authorization: `Bearer ${text}` };
        const client = new CookieClient(storefront.send, shopId);
        const answer = await client.call("look", undefined, headers);
        expect(answer.body, `${text} in ${shopId}`).toEqual(nobody);
      }
    }
    // The marks of ended sessions can expire during the test.
    const added = [...(await dump()).keys()].filter((key) => !stored.has(key));
    expect(added.filter((key) => key.startsWith("session:"))).toEqual([]);
  });

  test(
    "the server neither stores nor logs a secret, and sends none in responses or hook events",
    { timeout: 60_000 },
    async () => {
      allowErrors();
      const { hooks, told } = createEar();
      const storefront = await start({ methods, session, hooks });
      const { answers, given } = await converse(storefront);
      const secrets = [password, newPassword, testSecret, encryptionKey, ...given];
      for (const { accessToken, refreshToken } of [tokens, nextTokens]) {
        secrets.push(accessToken, refreshToken);
      }
      const spellings = secrets.flatMap((text) => [
        text,
        JSON.stringify(text).slice(1, -1),
        encodeURIComponent(text),
        decodeURIComponent(encodeURIComponent(text)),
      ]);
      const occursIn = (text: string) => spellings.filter((spelling) => text.includes(spelling));
      const stored = [...(await dump())].flat();
      expect(stored.filter((text) => text.includes('"tokens":"'))).toHaveLength(3);
      for (const text of stored) expect(occursIn(text), text).toEqual([]);
      expect(storefront.lines.filter(({ level }) => level === "error").length).toBeGreaterThan(8);
      for (const line of storefront.lines) {
        const text = `${line.message} ${inspect(line.details, { depth: 20 })} ${JSON.stringify(line)}`;
        expect(occursIn(text), text).toEqual([]);
      }
      expect(told.length).toBeGreaterThan(100);
      for (const event of told) expect(occursIn(event), event).toEqual([]);
      const problems = answers.filter(({ status }) => status >= 400);
      const statuses = new Set(problems.map(({ status }) => status));
      expect([...statuses].toSorted()).toEqual([400, 401, 403, 404, 405, 409, 415, 422, 500]);
      for (const { body } of problems) expect(occursIn(JSON.stringify(body))).toEqual([]);
    },
  );
});

// --- Internal helpers ---

/** Hooks that record each event without its error. */
function createEar(): { hooks: Hooks; told: string[] } {
  const told: string[] = [];
  const hear = (event: object) => {
    const news = { ...event, error: undefined };
    told.push(inspect(news, { depth: 10, getters: true, showHidden: true }));
  };
  const hooks = Object.fromEntries(hookNames.map((name) => [name, hear])) as Hooks;
  return { hooks, told };
}

/** The headers of the last request, with its credentials: a context doesn't show them. */
let sentHeaders = new Headers();

/** Says all that it knows, and throws the same. */
async function boast(input: unknown, context: BaseRpcContext & Partial<RpcContext>): Promise<void> {
  const kept = await context.readTokens?.();
  // A call of a public method has none.
  const set = context.updateTokens && nextTokens;
  context.updateTokens?.(nextTokens);
  const headers = Object.fromEntries(sentHeaders);
  const all = { input, kept, headers, set };
  context.log.info(`Asked with ${JSON.stringify(all)}`, { list: [all, new Map([["a", all]])] });
  context.log.warn(inspect(all), { cause: new Error(JSON.stringify(all), { cause: all }) });
  throw new Error(`Refused: ${JSON.stringify(all)}`, { cause: new Error(inspect(all)) });
}

interface Conversation {
  /** A guest, a guest with tokens, and users. */
  readonly clients: readonly CookieClient[];
  readonly answers: readonly Answer[];
  /** Cookies and tokens that were given, in all their parts that are secret. */
  readonly given: readonly string[];
}

/** Calls everything, in both shops, so that it succeeds and so that it fails. */
async function converse(storefront: TestStorefront): Promise<Conversation> {
  const send: Send = (path, init) => {
    sentHeaders = new Headers(init.headers);
    return storefront.send(path, init);
  };
  const client = (shopId?: number) => new CookieClient(send, shopId);
  const answers: Answer[] = [];
  const given = new Set<string>();
  const talk = async (who: CookieClient, method: string, payload?: unknown, headers = {}) => {
    const answer = await who.call(method, payload, headers);
    answers.push(answer);
    for (const value of who.cookies.values()) {
      given.add(value).add(decodeURIComponent(value)).add(decodeURIComponent(value).slice(-43));
    }
    const token = answer.headers.get("storefront-auth-token");
    if (token) given.add(token).add(token.slice(-43));
    return answer;
  };
  const [guest, keeper, user, other] = [client(), client(), client(), client(1002)];
  await talk(keeper, "keep", tokens);
  const named = [
    [user, "user@example.com"],
    [other, "other@example.com"],
  ] as const;
  for (const who of [guest, user, other]) {
    await talk(who, "note", { colour: "red" });
    await talk(who, "addItemToBasket", { variantId: 7, quantity: 1, customData: { a: "b" } });
    await talk(who, "addItemToWishlist", { productId: "p" });
  }
  for (const [who, email] of named) {
    await talk(who, "register", { email, password, firstName: "Ada" });
    await talk(who, "keep", tokens);
    await talk(who, "updateUser", { lastName: "L" });
    await talk(who, "listSessions");
  }
  await talk(user, "updatePassword", { oldPassword: password, newPassword });
  const email = "user@example.com";
  const bearer = client();
  const token = (
    await talk(
      bearer,
      "login",
      { email, password: newPassword },
      {
        authorization: "Bearer none",
      },
    )
  ).headers.get("storefront-auth-token");
  const authorization = { authorization: `Bearer ${token}` };
  await talk(bearer, "boast", { password, again: newPassword }, authorization);
  for (const who of [guest, keeper, user, other]) {
    const dead = { authorization: "Basic dXNlcjpwYXNzd29yZA==" };
    for (const method of ["boast", "boastOpenly", "boastToUsers"]) {
      await talk(who, method, { password, again: newPassword }, dead);
      await talk(who, method, { pasword: password });
      await talk(who, method, [password]);
    }
    await talk(who, "refuse", { password });
    await talk(who, "none", { password });
    await talk(who, "keep", { ...tokens, refreshToken: "x".repeat(17_000) });
    await talk(who, "login", { email, password: `${password}!` });
    await talk(who, "login", { email: password, password: { password } });
    await talk(who, "register", { email, password });
    await talk(who, "register", { email: password, password: email, more: password });
    await talk(who, "updatePassword", { oldPassword: `${password}!`, newPassword: password });
    await talk(who, "updatePassword", { oldPassword: password, newPassword: [password] });
    await talk(who, "listSessions", { password });
    await talk(who, "login", password, { origin: "https://elsewhere.example" });
    const path = "/de/api/rpc/login";
    answers.push(await who.request(path, { method: "POST", body: password }));
    answers.push(await who.request(`${path}?payload=${encodeURIComponent(password)}`));
    const json = { "content-type": "application/json" };
    answers.push(await who.request(path, { method: "POST", body: password, headers: json }));
  }
  const gone = client();
  await talk(gone, "login", { email, password: newPassword });
  await talk(gone, "keep", tokens);
  await talk(gone, "logout");
  return {
    clients: [guest, keeper, user, other],
    answers,
    given: [...given].filter((text) => text.length > 8),
  };
}

/** Every key and every value of a JSON text, and the text itself. */
function textsIn(text: string): string[] {
  const texts = [text];
  JSON.parse(text, (key: string, value: unknown) => {
    texts.push(key);
    if (typeof value === "string" || typeof value === "number") texts.push(String(value));
    return value;
  });
  return texts;
}

/** The credentials that an attacker can build from a stored string. */
function toCredentials(text: string): string[] {
  const ids = [text, ...text.split(/[.:$]/)].filter((part) => part !== "");
  const signature = "A".repeat(43);
  return ids.flatMap((id) => {
    const encoded = Buffer.from(id).toString("base64url");
    const forms = [id, `s:${id}`, `s:${id}.${signature}`];
    return [...forms, ...forms.map(encodeURIComponent), encoded, `${encoded}.${signature}`];
  });
}
