import { describe, expect, test, vi } from "vitest";
import { createTestAuth, testAccount } from "../../_client.ts";
import { createSetup } from "../../_setup.ts";

const read = vi.hoisted(() => vi.fn<() => void>());
vi.mock("@zxcvbn-ts/language-common", (importOriginal) => {
  read();
  return importOriginal();
});

/** A custom auth that records its arguments. */
function createAuth() {
  const auth = createTestAuth();
  return { ...auth, register: vi.fn(auth.register), changePassword: vi.fn(auth.changePassword) };
}

describe("a new password", () => {
  const setup = createSetup("memory", "request", () => ({ driver: "memory" }));
  const { email, password } = testAccount;

  async function start() {
    const auth = createAuth();
    const { client } = await setup.start({ auth });
    const [newcomer, customer] = [client(), client()];
    await customer.call("login", testAccount);
    return {
      auth,
      register: (text: unknown) => newcomer.call("register", { email, password: text }),
      change: (text: unknown) =>
        customer.call("updatePassword", { oldPassword: password, newPassword: text }),
    };
  }

  test("loads the list of common passwords when the first one is set", async () => {
    const { register } = await start();
    expect(read).not.toHaveBeenCalled();
    await register("battery staple");
    await register("correct horse");
    expect(read).toHaveBeenCalledOnce();
  });

  test.each([
    ["is no text", 1234567890],
    ["is missing", undefined],
    ["is empty", ""],
    ["has too few characters", "7 chars"],
    ["has more than 128", "x".repeat(129)],
    ["is a common one", "12345678"],
    ["is a common one beyond the first thousands", "flapjack"],
    ["is a common one in other letters", "PassWord1"],
    ["is a common one in wide letters", "ｐａｓｓｗｏｒｄ１"],
    ["is the email address", "Ada@example.com"],
    ["is the email address in spaces", " ada@example.com "],
  ])("fails before any hashing if it %s", async (_, text) => {
    const { auth, register, change } = await start();
    for (const [path, set] of [
      ["password", register],
      ["newPassword", change],
    ] as const) {
      const answer = await set(text);
      expect(answer).toMatchObject({
        status: 422,
        body: { code: "invalid_input", errors: [{ path: [path] }] },
      });
      if (text) expect(JSON.stringify(answer.body)).not.toContain(String(text));
    }
    expect(auth.register).not.toHaveBeenCalled();
    expect(auth.changePassword).not.toHaveBeenCalled();
  });

  test.each([
    ["8 characters of one kind", "zqjxvkwp"],
    ["64 and more", "correct horse ".repeat(5)],
    ["128", "x".repeat(128)],
    ["spaces at its ends, which stay", "  battery  "],
    ["other scripts and signs", "пароль-для-ады 🐎"],
    ["a common one inside", "password of my horse"],
  ])("can have %s, and reaches auth unchanged", async (_, text) => {
    const { auth, register, change } = await start();
    expect((await register(text)).status).toBe(200);
    expect((await change(text)).status).toBe(200);
    expect(auth.register.mock.lastCall?.[0].password).toBe(text);
    expect(auth.changePassword.mock.lastCall?.[0].newPassword).toBe(text);
  });
});
