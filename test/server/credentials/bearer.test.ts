import { describe, expect, test } from "vitest";
import { RpcError } from "../../../rpc/error.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { createBearerTransport } from "../../../server/credentials/bearer.ts";
import { resolveConfig } from "../../../server/config/resolve.ts";
import {
  createTestAuth,
  readCookie,
  readToken,
  testAccount as account,
  TestClient,
  tokenHeader,
  type Transport,
} from "../../_client.ts";
import { describeStorages, testConfig } from "../../_setup.ts";
import { CookieClient, type Send } from "../../_cookie-client.ts";

const item = { variantId: 7, quantity: 1 };

describeStorages("bearer tokens", (setup) => {
  const start: typeof setup.start = (config) => setup.start({ auth: createTestAuth(), ...config });
  const bearer = { tokenMethod: "bearer" } as const;
  const both = { tokenMethod: ["cookie", "bearer"] } as const;

  test("issues a bearer token in the configured header only", async () => {
    const { client } = await start({
      session: { ...bearer, authTokenHeaderKey: "vendure-auth-token" },
    });
    const { headers } = await client().call("register", account);
    expect(headers.get("vendure-auth-token")).toMatch(/^[\w-]+\.[\w-]{43}$/);
    expect(headers.get(tokenHeader)).toBeNull();
  });

  test.each(["Bearer", "bearer", "BEARER", "bEARER"])(
    "accepts a bearer token after the scheme %s",
    async (scheme) => {
      const { send, client } = await start({ session: bearer });
      const user = new TestClient("bearer", send);
      await user.call("register", account);
      const { body } = await client().call("getUser", undefined, {
        authorization: `${scheme} ${user.credential}`,
      });
      expect(body.user.email).toBe(account.email);
    },
  );

  test.each(["Basic YTpi", "Bearer", "Token x"])(
    "ignores the header Authorization: %j",
    async (authorization) => {
      const { client } = await start({ session: bearer });
      const answer = await client().call("getUser", undefined, { authorization });
      expect(answer).toMatchObject({ status: 200, body: {} });
      expect(readToken(answer)).toBeUndefined();
    },
  );

  test.each(["x", "x.y", "%", "\u00e9", "a".repeat(5000)])(
    "clears a malformed bearer token",
    async (noise) => {
      const { client } = await start({ session: bearer });
      const authorization = `Bearer ${noise}`;
      const answer = await client().call("getUser", undefined, { authorization });
      expect(answer).toMatchObject({ status: 200, body: {} });
      expect(readToken(answer)).toBe("");
    },
  );

  test("rejects every other spelling of a bearer token", async () => {
    const { send } = await start({ session: bearer });
    const user = new TestClient("bearer", send);
    await user.call("addItemToBasket", item);
    const [encoded = "", signature = ""] = user.credential?.split(".") ?? [];
    for (const spelling of [`${encoded}A.${signature}`, `${encoded}==.${signature}`]) {
      const thief = user.clone();
      thief.credential = spelling;
      expect((await thief.call("getBasket")).credentialUpdate, spelling).toBe("cleared");
    }
  });

  test("rejects a cookie sent as a bearer token, and a bearer token sent as a cookie", async () => {
    const { send } = await start({ session: both });
    const first = await new TestClient("cookie", send).callRaw("register", account);
    const cookie = readCookie(first) as string;
    const token = readToken(first) as string;
    const [, id = "", signature = ""] = /^s:(.+)\.(.{43})$/.exec(decodeURIComponent(cookie)) ?? [];
    const [encoded = "", tokenSignature = ""] = token.split(".");
    const urlSafe = signature.replaceAll("+", "-").replaceAll("/", "_");
    const base64 = tokenSignature.replaceAll("-", "+").replaceAll("_", "/");
    const forged: [Transport, string][] = [
      ["bearer", cookie],
      ["bearer", decodeURIComponent(cookie)],
      ["bearer", `${encoded}.${urlSafe}`],
      ["cookie", token],
      ["cookie", encodeURIComponent(`s:${id}.${base64}`)],
      ["cookie", encodeURIComponent(`s:${token}`)],
    ];
    for (const [transport, credential] of forged) {
      const thief = new TestClient(transport, send);
      thief.credential = credential;
      expect((await thief.callRaw("getUser")).body, `${transport}: ${credential}`).toEqual({});
    }
    for (const [transport, credential] of [
      ["bearer", token],
      ["cookie", cookie],
    ] as const) {
      const owner = new TestClient(transport, send);
      owner.credential = credential;
      expect((await owner.callRaw("getUser")).body.user.email, transport).toBe(account.email);
    }
  });

  test("accepts a valid token with a stale cookie, and a valid cookie with a stale token", async () => {
    const { send } = await start({ session: both });
    const first = await new TestClient("cookie", send).callRaw("register", account);
    const second = await new TestClient("cookie", send).callRaw("login", account);
    const [byToken, byCookie] = [new TestClient("bearer", send), new TestClient("cookie", send)];
    byToken.credential = readToken(first);
    byCookie.credential = readCookie(second);
    const [deadToken, deadCookie] = [byToken.clone(), byCookie.clone()];
    deadToken.credential = byCookie.credential;
    deadCookie.credential = byToken.credential;

    const beside = await call(send, "getUser", { ...byToken.headers, ...deadCookie.headers });
    expect(beside.body.user.email).toBe(account.email);
    expect([readToken(beside), readCookie(beside)]).toEqual([undefined, undefined]);

    const around = await call(send, "getUser", { ...deadToken.headers, ...byCookie.headers });
    expect(around.body.user.email).toBe(account.email);
    expect([readToken(around), readCookie(around)]).toEqual(["", undefined]);

    // The session came by cookie, so the server issues a new cookie and clears the invalid token.
    const again = await call(send, "login", { ...deadToken.headers, ...byCookie.headers }, account);
    expect(readToken(again)).toBe("");
    expect(readCookie(again)).toMatch(/^s%3A/);
  });

  test("issues no cookie to a client that sends a bearer token, also at a login", async () => {
    const { send } = await start({ session: both });
    const first = await new TestClient("cookie", send).callRaw("register", account);
    const user = new TestClient("bearer", send);
    user.credential = readToken(first);
    const crossSite = { "sec-fetch-site": "cross-site" };
    const cookie = `$session-1001=${readCookie(first)}`;
    const answer = await call(send, "login", { ...user.headers, ...crossSite, cookie }, account);
    expect(answer.status).toBe(200);
    expect(answer.setCookies).toEqual([]);
    expect(readToken(answer)).toMatch(/^[\w-]+\.[\w-]{43}$/);
    const unguarded: Record<string, string>[] = [
      { cookie },
      { cookie, authorization: "Basic YTpi" },
      {},
    ];
    for (const headers of unguarded) {
      const refused = await call(send, "getUser", { ...headers, ...crossSite });
      expect(refused).toMatchObject({ status: 403, body: { code: "foreign_origin" } });
    }
  });

  test("issues both a cookie and a token to a client that sends neither", async () => {
    const { send } = await start({ session: both });
    const answer = await call(send, "addItemToBasket", {}, item);
    expect(readToken(answer)).toMatch(/./);
    expect(readCookie(answer)).toMatch(/./);
    expect((await call(send, "getBasket", {})).setCookies).toEqual([]);
  });

  test("issues bearer tokens only in shops that enable them", async () => {
    const { send } = await start({
      shops: testConfig().shops.map((shop) =>
        shop.shopId === 1002 ? { ...shop, session: bearer } : shop,
      ),
    });
    const [byCookie, byToken] = [
      new TestClient("cookie", send, 1001),
      new TestClient("bearer", send, 1002),
    ];
    expect((await byCookie.call("register", account)).credentialUpdate).toBe("sent");
    expect((await byToken.call("login", account)).credentialUpdate).toBe("sent");
    const wrongWay = new TestClient("cookie", send, 1002);
    wrongWay.credential = byCookie.credential;
    expect((await wrongWay.call("getUser")).body).toEqual({});
    const ignored = await call(send, "getUser", { authorization: "Bearer x.y" });
    expect(readToken(ignored)).toBeUndefined();
  });

  test("neither issues nor clears a bearer token in a public method", async () => {
    const { send } = await start({ session: bearer });
    const authorization = "Bearer dead";
    expect(readToken(await call(send, "getShopConfiguration", { authorization }))).toBeUndefined();
    expect(readToken(await call(send, "nowhere", { authorization }))).toBeUndefined();
  });

  test("issues the bearer token of a login, even if the method fails after it", async () => {
    const fail = defineRpcMethod({
      async handler(_, { createUserBoundSession }) {
        await createUserBoundSession({ id: 7 });
        throw new RpcError("sold_out", { status: 409, title: "This is sold out" });
      },
    });
    const { send } = await start({ session: bearer, methods: { fail } });
    const user = new TestClient("bearer", send);
    expect(await user.call("fail")).toMatchObject({ status: 409, credentialUpdate: "sent" });
    expect((await user.call("getUser")).body.user).toEqual({ id: 7 });
  });
});

describe("the signature of a token", () => {
  test("rejects a bearer token signed for another shop, even for the same session ID", async () => {
    const { shops } = resolveConfig(testConfig(), { production: false });
    const [one, other] = shops.map(({ shopId, session }) => createBearerTransport(session, shopId));
    const id = "7:0f0a3c52-5a71-4ba6-9d4c-0a1d3f6b8a11";
    const record = { id, createdAt: 0, lastSeenAt: 0, handle: "", ownerKey: "", customData: {} };
    const [, token] = (await one?.issue(record, true)) ?? ["", ""];
    expect(await one?.verify(token)).toEqual([{ id, isOld: false }]);
    expect(await other?.verify(token)).toEqual([]);
  });
});

function call(send: Send, method: string, headers: Record<string, string>, payload?: unknown) {
  return new CookieClient(send).call(method, payload, headers);
}
