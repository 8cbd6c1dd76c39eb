import { expect, test } from "vitest";
import * as z from "zod";
import { RpcError } from "../../../rpc/error.ts";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { secret } from "../../../rpc/redaction/secret.ts";
import { until } from "../../_documents.ts";
import { Barrier } from "../../_faulty-driver.ts";
import {
  ada,
  createAuth,
  describeLimits,
  eve,
  limited,
  login,
  repeat,
  tally,
  times,
  toShort,
  wrong,
} from "../../_logins.ts";

const enterAs = (id: string, email: string) =>
  defineRpcMethod({
    handler: async (_, context) => void (await context.createUserBoundSession({ id, email })),
  });

describeLimits("guessed passwords", ({ start, allowErrors }) => {
  test("don't delay 50 parallel logins with the right password", async () => {
    const { client } = await start(limited);
    expect(await tally(times(50, () => login(client(), ada)))).toEqual({ "200 ok": 50 });
  });

  test("reveal no more than the limit if they are parallel, even with the right one among them", async () => {
    const barrier = new Barrier();
    let arrived = 0;
    const auth = createAuth({
      async login({ password, email }) {
        arrived++;
        await barrier.pass();
        return password === "right" ? { id: 7, email } : undefined;
      },
    });
    const { client } = await start({ ...limited, auth });
    const guesses = times(200, () => login(client(), wrong(ada)));
    await until(async () => arrived === 200);
    const right = client();
    const hit = login(right, ada);
    await until(async () => arrived === 201);
    barrier.open();
    expect(await tally(guesses)).toEqual({
      "401 invalid_credentials": 3,
      "429 too_many_attempts": 197,
    });
    expect(await hit).toBe("429 too_many_attempts");
    expect(right.cookies.size).toBe(0);
  });

  test("count in a login of the config that checks passwords itself", async () => {
    const enter = defineRpcMethod({
      signsIn: true,
      input: z.strictObject({ email: z.string(), password: secret(z.string()) }),
      async handler({ email, password }, { auth, createUserBoundSession }) {
        const user = await auth.limit(email, async () =>
          password === "right" ? { id: 7, email } : undefined,
        );
        if (user === undefined) throw new RpcError("invalid_credentials");
        return { user, merge: await createUserBoundSession(user) };
      },
    });
    const { client } = await start({ ...limited, methods: { login: enter } });
    await repeat(3, async () =>
      expect(await login(client(), wrong(ada))).toBe("401 invalid_credentials"),
    );
    expect(await login(client(), ada)).toBe("429 too_many_attempts");
    expect(await login(client(), eve)).toBe("200 ok");
  });

  test("count in a login of the config that uses the shop's accounts", async () => {
    const enter = defineRpcMethod({
      signsIn: true,
      input: z.strictObject({ email: z.string(), password: secret(z.string()) }),
      async handler(credentials, { auth, createUserBoundSession }) {
        const user = await auth.login(credentials);
        if (user === undefined) throw new RpcError("invalid_credentials");
        return { user, merge: await createUserBoundSession(user) };
      },
    });
    const { client } = await start({ ...limited, methods: { login: enter } });
    await repeat(3, async () =>
      expect(await login(client(), wrong(ada))).toBe("401 invalid_credentials"),
    );
    expect(await login(client(), ada)).toBe("429 too_many_attempts");
  });

  test("count for the account in updatePassword, too", async () => {
    const { client } = await start(limited);
    const user = client();
    await login(user, ada);
    const change = async (oldPassword: string) =>
      toShort(await user.call("updatePassword", { oldPassword, newPassword: "battery staple" }));
    await repeat(2, async () => expect(await change("guess")).toBe("403 wrong_password"));
    expect(await change("right")).toBe("200 ok");
    await repeat(2, async () => expect(await change("guess")).toBe("403 wrong_password"));
    expect(await login(client(), wrong(ada))).toBe("401 invalid_credentials");
    expect(await change("right")).toBe("429 too_many_attempts");
    expect(await login(client(), ada)).toBe("429 too_many_attempts");
  });

  test("count for the account in reauthenticate, too", async () => {
    const { client } = await start(limited);
    const user = client();
    await login(user, ada);
    const prove = async (password: string) =>
      toShort(await user.call("reauthenticate", { password }));
    await repeat(2, async () => expect(await prove("guess")).toBe("403 wrong_password"));
    expect(await login(client(), wrong(ada))).toBe("401 invalid_credentials");
    expect(await prove("right")).toBe("429 too_many_attempts");
  });

  test("reach auth no more often than the limit if they are parallel changes", async () => {
    const barrier = new Barrier();
    const tried: string[] = [];
    const auth = createAuth({
      async changePassword({ oldPassword }) {
        tried.push(oldPassword);
        await barrier.pass();
        return oldPassword === "right";
      },
    });
    const { client } = await start({ ...limited, auth });
    const user = client();
    await login(user, ada);
    const guess = async (oldPassword: string) =>
      toShort(await user.call("updatePassword", { oldPassword, newPassword: "battery staple" }));
    let refused = 0;
    const guesses = times(20, async () => {
      const answer = await guess("guess");
      if (answer === "429 too_many_attempts") refused++;
      return answer;
    });
    await until(async () => tried.length + refused === 20);
    // Three logins are in progress, without a result yet.
    const right = guess("right");
    await Promise.race([right, until(async () => tried.includes("right"))]);
    barrier.open();
    expect(await right).toBe("429 too_many_attempts");
    expect(await tally(guesses)).toEqual({ "403 wrong_password": 3, "429 too_many_attempts": 17 });
    expect(tried).toEqual(["guess", "guess", "guess"]);
  });

  test("count if an auth rejects them by an error, and not if it fails", async () => {
    allowErrors();
    let error: Error = new RpcError("invalid_credentials");
    const fail = () => Promise.reject(error);
    const { client } = await start({
      ...limited,
      auth: createAuth({ login: fail, changePassword: fail }),
      methods: { enter: enterAs("ada", ada.email) },
    });
    const user = client();
    await user.call("enter");
    const change = async () =>
      toShort(
        await user.call("updatePassword", { oldPassword: "x", newPassword: "battery staple" }),
      );
    error = new Error("The system of the customers does not answer");
    await repeat(4, async () => {
      expect(await login(client(), ada)).toBe("500 internal_error");
      expect(await change()).toBe("500 internal_error");
    });
    error = new RpcError("locked", { status: 403, title: "This account is locked" });
    expect(await login(client(), ada)).toBe("403 locked");
    expect(await change()).toBe("403 locked");
    expect(await login(client(), ada)).toBe("403 locked");
    expect(await login(client(), ada)).toBe("429 too_many_attempts");
    expect(await change()).toBe("429 too_many_attempts");
  });
});
