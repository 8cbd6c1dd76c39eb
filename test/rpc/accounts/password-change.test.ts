import createMemoryDriver from "unstorage/drivers/memory";
import { describe, expect, test } from "vitest";
import { createAccounts } from "../../../rpc/accounts/accounts.ts";
import { openDocumentStore } from "../../../storage/store.ts";
import { toKeySegment } from "../../../storage/documents/key.ts";
import { createFaultyDriver, Barrier } from "../../_faulty-driver.ts";
import { createTestLog } from "../../../server/testing/test-log.ts";
import { createSetup } from "../../_setup.ts";
import { createTestVisit } from "../../_visit.ts";
import { readStored } from "../../fixtures/stored.ts";

const ada = { email: "ada@example.com", password: "correct horse" };
const wrongPassword = { status: 403, body: { code: "wrong_password" } };

describe("a password change", () => {
  const { allowErrors, start, startControlled } = createSetup("memory", "request", () => ({
    driver: "memory",
  }));

  test("rejects a wrong old password, even if the new password is the current one", async () => {
    const { client } = await start({ loginAttempts: { perAccount: 2 } });
    const user = client();
    await user.call("register", ada);
    const before = user.sessionId;
    const guess = { oldPassword: "wrong", newPassword: ada.password };
    expect(await user.call("updatePassword", guess)).toMatchObject(wrongPassword);
    expect(user.sessionId).toBe(before);
    expect(await user.call("updatePassword", guess)).toMatchObject(wrongPassword);
    expect((await user.call("updatePassword", guess)).status).toBe(429);
  });

  test("can be repeated with the old password after a failure, and then ends the other sessions", async () => {
    allowErrors();
    const { client, storage } = await startControlled();
    const [user, phone] = [client(), client()];
    await user.call("register", ada);
    await phone.call("login", ada);
    const change = { oldPassword: ada.password, newPassword: "battery staple" };
    for (const key of ["user:", "session:"]) {
      for (const kind of ["write", "take"] as const) storage.fail(kind, { key });
    }
    expect((await user.call("updatePassword", change)).status).toBe(503);
    storage.heal();
    expect((await phone.call("getUser")).body.user).toBeDefined();
    for (const wrong of [
      { ...change, oldPassword: "wrong" },
      { ...change, newPassword: "another staple" },
      { oldPassword: "wrong", newPassword: "another staple" },
    ]) {
      expect(await user.call("updatePassword", wrong)).toMatchObject(wrongPassword);
    }
    expect((await user.call("updatePassword", change)).status).toBe(200);
    expect((await phone.call("getUser")).body.user).toBeUndefined();
    expect((await client().call("login", ada)).status).toBe(401);
  });

  test("wins once for two parallel changes with one old password, and fails the other", async () => {
    const faulty = createFaultyDriver();
    const accounts = createAccounts(openDocumentStore(faulty.driver, createTestLog()));
    const context = createTestVisit();
    const user = await accounts.register(ada, context);
    const barrier = new Barrier();
    let held = 0;
    faulty.before = ({ kind, key }) => {
      if (kind === "write" && key.startsWith("account:") && ++held === 1) return barrier.pass();
      return undefined;
    };
    const change = (newPassword: string) =>
      accounts
        .changePassword({ user, oldPassword: ada.password, newPassword }, context)
        .catch((error: unknown) => error);
    const first = change("the first staple");
    const second = change("the second staple");
    await barrier.reached;
    barrier.open();
    const outcomes = await Promise.all([first, second]);
    expect(outcomes).toContain(true);
    expect(outcomes).toContainEqual(
      expect.objectContaining({ code: "session_changed", executed: true }),
    );
  });
});

describe("an account whose stored hash is malformed", () => {
  const { allowErrors, start } = createSetup("memory", "request", () => ({ driver: "memory" }));

  test.each([
    ["is empty", ""],
    ["is missing", undefined],
    ["is null", null],
    ["is a number", 7],
    ["is of another program", "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g"],
    ["is cut off", "$scrypt$ln=15,r=8,p=3$c2FsdA"],
    ["asks for a petabyte", `$scrypt$ln=40,r=8,p=1$c2FsdA$${"A".repeat(43)}`],
    ["has settings that scrypt refuses", `$scrypt$ln=0,r=0,p=0$c2FsdA$${"A".repeat(43)}`],
    ["is too short", "$scrypt$ln=15,r=8,p=3$c2FsdA$AAAA"],
  ])("behaves like a wrong password, with a log line: it %s", async (_, passwordHash) => {
    allowErrors();
    const driver = createMemoryDriver();
    const { lines, client } = await start({ storage: { session: driver } });
    const user = client();
    await user.call("register", ada);
    const key = `account:default:${toKeySegment(ada.email)}`;
    const [stored] = await readStored(driver, key);
    const document = JSON.parse(stored?.text as string) as { value: object };
    const spoilt = { ...document, value: { ...document.value, passwordHash } };
    await driver.setItemRaw?.(key, JSON.stringify(spoilt), {});
    const answer = await client().call("login", ada);
    expect(answer).toMatchObject({ status: 401, body: { code: "invalid_credentials" } });
    const change = { oldPassword: ada.password, newPassword: "battery staple" };
    expect(await user.call("updatePassword", change)).toMatchObject(wrongPassword);
    expect(lines.filter(({ level }) => level === "error")).toMatchObject([
      { message: expect.stringContaining("password hash cannot be read") },
      { message: expect.stringContaining("password hash cannot be read") },
    ]);
  });
});

describe("an email address of another account", () => {
  test("in a session doesn't give access to that account", async () => {
    const driver = createMemoryDriver();
    const accounts = createAccounts(openDocumentStore(driver, createTestLog()));
    const context = createTestVisit();
    await accounts.register(ada, context);
    const stored = await readStored(driver);
    const eve = { id: "eve", email: ada.email };
    const moving = accounts.changeEmail?.({ user: eve, email: "eve@example.com" }, context);
    await expect(moving).rejects.toMatchObject({ code: "session_changed", executed: true });
    expect(await readStored(driver)).toEqual(stored);
  });
});
