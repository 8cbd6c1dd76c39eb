import { describe, expect, test, vi } from "vitest";
import type { Auth } from "../../../rpc/accounts/auth.ts";
import { createSetup, type TestStorefront } from "../../_setup.ts";
import { CookieClient, type Answer } from "../../_cookie-client.ts";

/** An operator's own customers, so that no test waits for hashes. */
function createAuth() {
  return {
    login: vi.fn<Auth["login"]>(async ({ password, email }) =>
      password === "right" ? { id: 7, email } : undefined,
    ),
    register: vi.fn<Auth["register"]>(async ({ email }) => ({ id: 7, email })),
    changePassword: vi.fn<Auth["changePassword"]>(
      async ({ oldPassword }) => oldPassword === "right",
    ),
    changeEmail: vi.fn<Required<Auth>["changeEmail"]>(async ({ user, email }) => ({
      ...user,
      email,
    })),
  };
}

function clientAt(ip: string | undefined, { app }: TestStorefront): CookieClient {
  return new CookieClient(async (path, init) =>
    app.fetch(Object.assign(new Request(`http://localhost${path}`, init), { ip })),
  );
}

const toShort = ({ status, body }: Answer) => `${status} ${body.code ?? "ok"}`;
const newcomer = (number: number) => ({
  email: `${number}@example.com`,
  password: "correct horse",
});

describe("registrations", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("count for the IP address: the server rejects too many with 429, before any work", async () => {
    const auth = createAuth();
    const storefront = await start({ auth, loginAttempts: { perAddress: 2 } });
    const register = async (ip: string | undefined, number: number) =>
      toShort(await clientAt(ip, storefront).call("register", newcomer(number)));
    expect(await register("192.0.2.1", 1)).toBe("200 ok");
    expect(await register("192.0.2.1", 2)).toBe("200 ok");
    const refused = await clientAt("192.0.2.1", storefront).call("register", newcomer(3));
    expect(toShort(refused)).toBe("429 too_many_attempts");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(auth.register).toHaveBeenCalledTimes(2);
    for (const [index, ip] of ["192.0.2.2", undefined, undefined, undefined].entries()) {
      expect(await register(ip, 10 + index)).toBe("200 ok");
    }
  });

  test("don't block the logins from their IP address", async () => {
    const storefront = await start({ auth: createAuth(), loginAttempts: { perAddress: 1 } });
    const client = clientAt("192.0.2.1", storefront);
    for (const expected of ["200 ok", "429 too_many_attempts"]) {
      expect(toShort(await client.call("register", newcomer(1)))).toBe(expected);
    }
    const login = { email: "ada@example.com", password: "right" };
    expect(toShort(await client.call("login", login))).toBe("200 ok");
  });
});

describe("wrong old passwords of updatePassword", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test("count for the IP address, like failed logins", async () => {
    const storefront = await start({ auth: createAuth(), loginAttempts: { perAddress: 2 } });
    const client = clientAt("192.0.2.1", storefront);
    await client.call("login", { email: "ada@example.com", password: "right" });
    const change = async (oldPassword: string) =>
      toShort(await client.call("updatePassword", { oldPassword, newPassword: "battery staple" }));
    expect(await change("right")).toBe("200 ok");
    for (let time = 0; time < 2; time++) expect(await change("guess")).toBe("403 wrong_password");
    expect(await change("right")).toBe("429 too_many_attempts");
    const login = { email: "eve@example.com", password: "right" };
    expect(toShort(await client.call("login", login))).toBe("429 too_many_attempts");
    expect(toShort(await clientAt("192.0.2.2", storefront).call("login", login))).toBe("200 ok");
  });
});

describe("an email address", () => {
  const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test.each([
    "ada@example.com ",
    " ada@example.com",
    "\u00A0ada@example.com\u3000",
    "ada@example.com\n",
  ])("may have spaces around it, as keyboards of phones add them: %j", async (email) => {
    const auth = createAuth();
    const { client } = await start({ auth });
    const user = client();
    for (const [method, payload] of [
      ["register", { email, password: "correct horse" }],
      ["login", { email, password: "right" }],
      ["updateEmail", { email }],
    ] as const) {
      expect((await user.call(method, payload)).status).toBe(200);
    }
    for (const { mock } of [auth.register, auth.login]) {
      expect(mock.lastCall?.[0].email).toBe("ada@example.com");
    }
    expect(auth.changeEmail.mock.lastCall?.[0].email).toBe("ada@example.com");
  });

  test.each(["a b@example.com", " ", `${"a".repeat(250)}@example.com`, "ada@example .com"])(
    "fails if it is invalid even after trimming: %j",
    async (email) => {
      const { client } = await start({ auth: createAuth() });
      const answer = await client().call("login", { email, password: "right" });
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: ["email"] }] } });
    },
  );

  test("with spaces around it is rejected as a new password", async () => {
    const { client } = await start({ auth: createAuth() });
    const registration = { email: "ada@example.com ", password: "Ada@example.com" };
    expect(await client().call("register", registration)).toMatchObject({ status: 422 });
  });
});
