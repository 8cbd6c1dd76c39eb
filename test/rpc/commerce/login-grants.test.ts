import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { Auth } from "../../../rpc/accounts/auth.ts";
import type { CommerceBackend } from "../../../rpc/commerce/commerce-backend.ts";
import { defineCommerceMethod } from "../../../rpc/commerce/commerce-method.ts";
import type { Grant, LoginVisit, Visit } from "../../../rpc/commerce/visit.ts";
import { RpcError } from "../../../rpc/error.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { until } from "../../_documents.ts";
import { hurryMails } from "../../_mails.ts";
import { describeStorages } from "../../_setup.ts";

interface TokenGrant extends Grant {
  readonly token: string;
}

const ada = { email: "ada@example.com", password: "right" };

/** A commerce system with sessions by token. A login replaces the session whose token it gets. */
function createSystem({ endsAll = false }: { readonly endsAll?: boolean } = {}) {
  /** The email addresses of logged-in customers, or `guest`, by token. */
  const sessions = new Map<string, string>();
  const seen: (string | undefined)[] = [];

  function begin(owner: string): TokenGrant {
    const token = randomUUID();
    sessions.set(token, owner);
    return { token };
  }

  function logIn(email: string, visit: LoginVisit<TokenGrant>) {
    const { grant } = visit;
    seen.push(grant && sessions.get(grant.token));
    if (grant !== undefined) sessions.delete(grant.token);
    visit.setGrant(begin(email));
    return { id: email, email };
  }

  const backend = {
    name: "test",
    grants: {
      begin: async () => begin("guest"),
      async end({ grant }) {
        const owner = sessions.get(grant.token);
        const isEnded = (token: string) =>
          endsAll ? sessions.get(token) === owner : token === grant.token;
        for (const token of [...sessions.keys()].filter(isEnded)) sessions.delete(token);
      },
      endsAll,
    },
    accounts: {
      async login({ email, password }, visit) {
        if (password === "half right") visit.setGrant(begin(email));
        return password === "right" ? logIn(email, visit) : undefined;
      },
      register: async ({ email }, visit) => logIn(email, visit),
      changePassword: async () => false,
      async resetPassword(_, visit) {
        return logIn(ada.email, visit);
      },
    },
    methods: {
      whoAmI: defineCommerceMethod({
        async handler(_, { grant }: Visit<TokenGrant>) {
          const owner = sessions.get(grant?.token ?? "");
          if (owner === undefined) throw new RpcError("session_ended");
          return { owner };
        },
      }),
    },
  } satisfies CommerceBackend<TokenGrant>;

  const count = (owner: string) => [...sessions.values()].filter((one) => one === owner).length;
  return { backend, count, seen };
}

hurryMails();

describeStorages("the grant of a login", ({ start }) => {
  const ofGuest = { status: 200, body: { owner: "guest" } };
  const ofAda = { status: 200, body: { owner: ada.email } };

  test("replaces the guest's, which the login sees", async () => {
    const { backend, count, seen } = createSystem();
    const { client } = await start({ commerce: backend });
    const browser = client();
    expect(await browser.call("whoAmI")).toMatchObject(ofGuest);
    expect((await browser.call("login", ada)).status).toBe(200);
    expect(seen).toEqual(["guest"]);
    expect(await browser.call("whoAmI")).toMatchObject(ofAda);
    expect([count("guest"), count(ada.email)]).toEqual([0, 1]);
  });

  test("isn't the session's after reauthenticate, which sees no grant", async () => {
    const { backend, count, seen } = createSystem();
    const { client } = await start({ commerce: backend });
    const browser = client();
    await browser.call("login", ada);
    expect((await browser.call("reauthenticate", { password: "right" })).status).toBe(204);
    expect(seen).toEqual([undefined, undefined]);
    expect(await browser.call("whoAmI")).toMatchObject(ofAda);
    await until(async () => count(ada.email) === 1);
    expect(await browser.call("whoAmI")).toMatchObject(ofAda);
  });

  test("doesn't end with that of reauthenticate, if the system can only end all", async () => {
    const { backend, count } = createSystem({ endsAll: true });
    const { app, client } = await start({ commerce: backend });
    const browser = client();
    await browser.call("login", ada);
    expect((await browser.call("reauthenticate", { password: "right" })).status).toBe(204);
    await app.close();
    expect(count(ada.email)).toBe(2);
  });

  test.each(["wrong", "half right"])(
    "reaches nobody after a login with a %s password, and the guest keeps theirs",
    async (password) => {
      const { backend, count } = createSystem();
      const { client } = await start({ commerce: backend });
      const browser = client();
      await browser.call("whoAmI");
      expect((await browser.call("login", { ...ada, password })).status).toBe(401);
      await until(async () => count(ada.email) === 0);
      expect(await browser.call("whoAmI")).toMatchObject(ofGuest);
    },
  );

  test("ends if the limit of failed logins rejects it", async () => {
    const { backend, count } = createSystem();
    const { login } = backend.accounts;
    const accounts: Auth<TokenGrant> = {
      ...backend.accounts,
      async login(credentials, visit) {
        const user = await login(credentials, visit);
        // A guess reaches the limit while the right password is checked.
        if (user !== undefined) await client().call("login", { ...ada, password: "wrong" });
        return user;
      },
    };
    const { client } = await start({
      commerce: { ...backend, accounts },
      loginAttempts: { perAccount: 1, perAddress: 9 },
    });
    const browser = client();
    expect((await browser.call("login", ada)).status).toBe(429);
    expect(count(ada.email)).toBe(1);
    expect((await browser.call("getUser")).body).toEqual({});
    await until(async () => count(ada.email) === 0);
  });

  test("ends if the session can't begin, and the guest keeps theirs", async () => {
    const { backend, count } = createSystem();
    const { client } = await start({
      commerce: { ...backend, accounts: { ...backend.accounts, login: keepGuest(backend) } },
      session: { maxSessionsPerUser: 1, sessionLimitPolicy: "refuse" },
    });
    const [browser, phone] = [client(), client()];
    await phone.call("login", ada);
    expect(await browser.call("whoAmI")).toMatchObject(ofGuest);
    expect((await browser.call("login", ada)).body.code).toBe("too_many_sessions");
    await until(async () => count(ada.email) === 1);
    expect(await browser.call("whoAmI")).toMatchObject(ofGuest);
    expect(await phone.call("whoAmI")).toMatchObject(ofAda);
  });

  test("ends if the method begins no session, or that of another user", async () => {
    const { backend, count } = createSystem();
    const check = defineRpcMethod({
      signsIn: true,
      async handler(_, { auth, createUserBoundSession }) {
        await auth.login(ada);
        await createUserBoundSession({ id: "eve" });
      },
    });
    const onlyCheck = defineRpcMethod({
      handler: async (_, { auth }) => void (await auth.login(ada)),
    });
    const { client } = await start({ commerce: backend, methods: { check, onlyCheck } });
    for (const method of ["onlyCheck", "check"]) {
      const browser = client();
      expect((await browser.call(method)).status).toBe(204);
      await until(async () => count(ada.email) === 0);
      expect((await browser.call("whoAmI")).body).not.toEqual(ofAda.body);
    }
  });

  test("ends after resetPassword, which logs nobody in", async () => {
    const { backend, count } = createSystem();
    const { client } = await start({ commerce: backend });
    const [browser, phone] = [client(), client()];
    await phone.call("login", ada);
    await browser.call("whoAmI");
    const reset = { token: "x", newPassword: "battery staple" };
    expect((await browser.call("resetPassword", reset)).status).toBe(204);
    await until(async () => count(ada.email) === 0);
    expect(await browser.call("whoAmI")).toMatchObject(ofGuest);
    expect((await phone.call("getUser")).body).toEqual({});
  });
});

/** A login that leaves the guest's session in the system alone. */
function keepGuest({ accounts }: ReturnType<typeof createSystem>["backend"]) {
  return (credentials: typeof ada, visit: LoginVisit<TokenGrant>) =>
    accounts.login(credentials, { ...visit, grant: undefined });
}
