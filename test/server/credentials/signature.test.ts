import createMemoryDriver from "unstorage/drivers/memory";
import { createHmac, randomUUID } from "node:crypto";
import type { Driver } from "unstorage";
import { beforeEach, describe, expect, test } from "vitest";
import { Signer } from "../../../server/credentials/signature.ts";
import { createSetup } from "../../_setup.ts";
import type { CookieClient } from "../../_cookie-client.ts";
import { toCookie } from "../../_sessions.ts";
import { testMethods } from "../../fixtures/methods.ts";
import { readStored, sessionIdOf } from "../../fixtures/stored.ts";
import { twinAt } from "../../fixtures/clients.ts";

const name = "$session-1001";
const text = "3e6c2d2f-7c1e-4d53-9a43-6f6d0f6f2d11";
const [oldest, older, newest] = ["the oldest secret", "an older secret", "the newest secret"];

describe("a signature", () => {
  test("signs like cookie-signature, express and @scayle/h3-session", async () => {
    // The example of cookie-signature's documentation.
    const signature = "DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI";
    const signer = new Signer(["tobiiscool"]);
    expect(await signer.sign("hello")).toBe(signature);
    expect(await signer.verify("hello", signature)).toBe("current");
  });

  test("verifies a signature that a running @scayle/h3-session made", async () => {
    const [id, signature] = [
      "ef46c47d-a092-43bb-9cce-0b0ab8761683",
      "yAdpcPP3N542CWLpczk8jpwk/2xUPSmzTS7BKVJ+anw",
    ];
    expect(await new Signer(["current-secret"]).verify(id, signature)).toBe("current");
  });

  test.each([text, `7:${text}`, `ü/..?$:${text}`, "€".repeat(64), "😀", ""])(
    "signs %j with HMAC-SHA256, as 43 characters of base64 without padding",
    async (signed) => {
      const signature = await new Signer([newest]).sign(signed);
      expect(signature).toHaveLength(43);
      expect(`${signature}=`).toBe(createHmac("sha256", newest).update(signed).digest("base64"));
    },
  );

  test("signs with the UTF-8 bytes of a secret that is not ASCII", async () => {
    const hmac = createHmac("sha256", "schlüssel€").update(text).digest("base64");
    expect(await new Signer(["schlüssel€"]).verify(text, hmac.slice(0, 43))).toBe("current");
  });

  test("rejects the signature of another text", async () => {
    const signer = new Signer([newest]);
    const signature = await signer.sign(text);
    for (const other of ["", `${text} `, text.toUpperCase(), `7:${text}`, text.slice(1)]) {
      expect(await signer.verify(other, signature)).toBe("invalid");
    }
  });

  test("rejects another split of the same characters, also after a valid one", () => {
    const signer = new Signer([newest]);
    const signature = signer.sign(text);
    expect(signer.verify(text, signature)).toBe("current");
    expect(signer.verify(text, signature)).toBe("current");
    for (const split of [1, 2, text.length]) {
      const longer = signature + text.slice(0, split);
      expect(signer.verify(text.slice(split), longer)).toBe("invalid");
      const shorter = signature.slice(0, -split);
      expect(signer.verify(signature.slice(-split) + text, shorter)).toBe("invalid");
    }
  });

  test("rejects any other spelling of a signature, also of the same bytes", async () => {
    const signer = new Signer([newest]);
    // A signature with characters that the URL-safe alphabet replaces.
    const signed = await findText(signer, /[+/]/);
    const signature = await signer.sign(signed);
    const spellings = [
      `${signature}=`,
      `${signature}A`,
      `${signature} `,
      ` ${signature}`,
      `${signature}\n`,
      `${signature}\0`,
      signature.slice(0, -1),
      signature.slice(1),
      withOtherSpareBits(signature),
      signature.replaceAll("+", "-").replaceAll("/", "_"),
      signature.toLowerCase(),
      Buffer.from(signature, "base64").toString("hex"),
      "A".repeat(43),
      "",
    ];
    for (const spelling of spellings) {
      expect(spelling).not.toBe(signature);
      expect(await signer.verify(signed, spelling), JSON.stringify(spelling)).toBe("invalid");
    }
    const same = Buffer.from(withOtherSpareBits(signature), "base64");
    expect(same).toEqual(Buffer.from(signature, "base64"));
  });
});

describe("several secrets", () => {
  test("signs with the last of several secrets", async () => {
    const signature = await new Signer([oldest, older, newest]).sign(text);
    expect(signature).toBe(await new Signer([newest]).sign(text));
  });

  test("verifies with each of several secrets, and reports a signature of an earlier one as old", async () => {
    const signer = new Signer([oldest, older, newest]);
    const signatures = [oldest, older, newest].map((secret) => new Signer([secret]).sign(text));
    const verdicts = (await Promise.all(signatures)).map((signature) =>
      signer.verify(text, signature),
    );
    expect(await Promise.all(verdicts)).toEqual(["old", "old", "current"]);
  });

  test("rejects a signature of a removed secret", async () => {
    const signature = await new Signer([oldest]).sign(text);
    expect(await new Signer([older, newest]).verify(text, signature)).toBe("invalid");
  });

  test("reports a signature as current if the last secret is also an earlier one", async () => {
    const signer = new Signer([newest, older, newest]);
    expect(await signer.verify(text, await signer.sign(text))).toBe("current");
  });
});

describe("a signed cookie", () => {
  let driver: Driver;
  beforeEach(() => {
    driver = createMemoryDriver();
  });
  const { start } = createSetup("memory", "request", () => driver);
  const methods = testMethods;
  const startWith = (secret: string | string[]) => start({ methods, session: { secret } });

  test.each(["", "7:"])(
    "creates no session for a signed ID %s<uuid> without a record",
    async (user) => {
      const { client } = await start({ methods });
      const guest = client();
      const id = `${user}${randomUUID()}`;
      expect(await whoIs(guest, toCookie(id))).toBe("guest");
      expect((await guest.call("notes")).body).toEqual({});
      expect(await readStored(driver)).toEqual([]);
      const { setCookies } = await guest.call("note", { begun: true });
      expect(setCookies).toHaveLength(1);
      expect(id).not.toContain(guest.sessionId);
      const records = await readStored(driver, "session:");
      expect(records.map(sessionIdOf)).toEqual([guest.sessionId]);
    },
  );

  test("rejects a signed cookie that differs in a single character", async () => {
    const { client } = await start({ methods });
    const customer = client();
    await customer.call("enter", { id: "ab" });
    const value = decodeURIComponent(customer.cookies.get(name) as string);
    const [id, signature] = [value.slice(2, -44), value.slice(-43)];
    const altered = [
      `s:${id}.${signature}=`,
      `s:${id}.${signature}A`,
      `s:${id}.${signature.slice(0, -1)}`,
      `s:${id}.${withOtherSpareBits(signature)}`,
      `s:${id}.`,
      `s:${id}`,
      `s:${id.replace("ab", "aa")}.${signature}`,
      `s:ab${id}.${signature}`,
      `s:${id.slice(3)}.${signature}`,
      `s:.${signature}`,
      `s:${id}..${signature}`,
      `S:${id}.${signature}`,
      ` s:${id}.${signature}`,
      `${id}.${signature}`,
      id,
      // Encoded twice.
      encodeURIComponent(value),
    ].map(encodeURIComponent);
    // Validly signed, but no session has these IDs.
    const others = [id.slice(3), `a:${id}`, `a${id}`, `${id} `, id.toUpperCase(), ""];
    const foreign = [toCookie(id, "another secret"), toCookie(id, "")];
    for (const cookie of [...altered, ...others.map((other) => toCookie(other)), ...foreign]) {
      expect(await whoIs(client(), cookie), cookie).toBe("guest");
    }
    // Encoded and unencoded, as express accepts it.
    expect(await whoIs(client(), encodeURIComponent(value))).toBe("ab");
    expect(await whoIs(client(), value)).toBe("ab");
  });

  test("finds the valid cookie among several of its name, in any order", async () => {
    const { client } = await start({ methods });
    const [stale, customer] = [client(), client()];
    await stale.call("enter", { id: 7 });
    const dead = stale.cookieHeader;
    await stale.call("logout");
    await customer.call("enter", { id: 7 });
    const alive = customer.cookieHeader;
    const broken = `${name}; ${name}=; ${name}=%ZZ; ${name}=s:x.y; __proto__=1; =; ;`;
    for (const all of [
      [broken, dead, alive],
      [alive, dead],
      [dead, broken, alive, dead],
    ]) {
      const answer = await client().call("getUser", undefined, { cookie: all.join("; ") });
      expect(answer).toMatchObject({ status: 200, body: { user: { id: 7 } }, setCookies: [] });
    }
    const answer = await client().call("getUser", undefined, { cookie: `${broken}; ${dead}` });
    expect(answer).toMatchObject({ status: 200, body: {}, setCookies: [] });
  });

  test("ignores a session cookie inside the name or value of another cookie", async () => {
    const { client } = await start({ methods });
    const customer = client();
    await customer.call("enter", { id: 7 });
    const pair = customer.cookieHeader;
    for (const cookie of [
      `x${pair}`,
      `a=${pair}`,
      `a= ${pair}`,
      `a="; b=, ${pair}"`,
      `${name}0=${pair}`,
    ]) {
      expect(await whoIs(customer)).toBe(7);
      const { body } = await client().call("getUser", undefined, { cookie });
      expect(body, cookie).toEqual({});
    }
    for (const cookie of [`a=1; ${pair}`, `a=1;${pair}`, `a; ${pair}; b`, ` ${pair} ;b=1`]) {
      const { body } = await client().call("getUser", undefined, { cookie });
      expect(body, cookie).toEqual({ user: { id: 7 } });
    }
  });

  test("signs a cookie again while its secret is being rotated out", async () => {
    const [old, next] = ["the secret of last year", "the secret of this year"];
    const [before, after] = [await startWith(old), await startWith(next)];
    const [during, undone] = [await startWith([old, next]), await startWith([next, old])];
    const customer = before.client();
    await customer.call("enter", { id: 7 });
    const id = customer.sessionId as string;
    expect(customer.cookies.get(name)).toBe(toCookie(id, old));
    expect(await whoIs(twinAt(after, customer))).toBe("guest");
    const moved = twinAt(during, customer);
    const answer = await moved.call("getUser");
    expect(answer.body.user.id).toBe(7);
    expect(answer.setCookies).toEqual([expect.stringContaining(`=${toCookie(id, next)};`)]);
    expect((await moved.call("getUser")).setCookies).toEqual([]);
    expect(await whoIs(twinAt(after, moved))).toBe(7);
    expect(await whoIs(twinAt(before, moved))).toBe("guest");
    const back = twinAt(undone, moved);
    expect(await whoIs(back)).toBe(7);
    expect(back.cookies.get(name)).toBe(toCookie(id, old));
  });
});

// --- Internal helpers ---

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** 43 characters hold two bits more than 32 bytes; a lenient decoder ignores these bits. */
function withOtherSpareBits(signature: string): string {
  const last = alphabet.indexOf(signature.slice(-1));
  return signature.slice(0, -1) + alphabet[last ^ 1];
}

async function findText(signer: Signer, pattern: RegExp, start = 0): Promise<string> {
  const candidate = `${text}-${start}`;
  if (pattern.test(await signer.sign(candidate))) return candidate;
  return findText(signer, pattern, start + 1);
}

/** The user of a visitor's session, as the server sees it. */
async function whoIs(client: CookieClient, cookie?: string): Promise<unknown> {
  if (cookie !== undefined) client.cookies.set(name, cookie);
  const answer = await client.call("getUser");
  expect(answer.status).toBe(200);
  return answer.body.user?.id ?? "guest";
}
