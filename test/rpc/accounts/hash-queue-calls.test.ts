import { expect, test, vi } from "vitest";
import { maxRunning, maxWaitingPerNetwork } from "../../../rpc/accounts/hash-queue.ts";
import { toKeySegment } from "../../../storage/documents/key.ts";
import { createFaultyDriver, Barrier, later } from "../../_faulty-driver.ts";
import { createSetup } from "../../_setup.ts";
import { CookieClient } from "../../_cookie-client.ts";

const barrier = vi.hoisted(() => ({ pass: () => Promise.resolve() }));
vi.mock("node:crypto", async (importOriginal) => {
  const crypto = await importOriginal<typeof import("node:crypto")>();
  type Done = (error: null, hash: Buffer) => void;
  return {
    ...crypto,
    scrypt: (password: string, _: Buffer, length: number, __: object, done: Done) => {
      const hash = crypto.createHash("sha256").update(password).digest().subarray(0, length);
      void barrier.pass().then(() => done(null, hash));
    },
  };
});

const { start } = createSetup("memory", "request", () => ({ driver: "memory" }));

test("the server rejects many registrations of one IP address immediately, and doesn't delay logins of another", async () => {
  const closed = new Barrier();
  const faulty = createFaultyDriver();
  const { app } = await start({ storage: { session: faulty.driver } });
  const at = (ip: string) =>
    new CookieClient(async (path, init) =>
      app.fetch(Object.assign(new Request(`http://localhost${path}`, init), { ip })),
    );
  const password = "correct horse";
  const ada = { email: "ada@example.com", password };
  await at("192.0.2.9").call("register", ada);
  barrier.pass = () => closed.pass();
  const done: string[] = [];
  const registering = Array.from(
    { length: maxRunning + maxWaitingPerNetwork + 5 },
    async (_, n) => {
      const registration = { email: `${n}@example.com`, password };
      const { status, body } = await at("192.0.2.1").call("register", registration);
      done.push(`${status} ${body.code ?? "registered"}`);
    },
  );
  await vi.waitFor(() => expect(done).toHaveLength(5));
  expect(new Set(done)).toEqual(new Set(["429 too_many_attempts"]));
  const login = at("192.0.2.2").call("login", ada);
  void login.then(() => done.push("login"));
  const read = `account:default:${toKeySegment(ada.email)}`;
  await vi.waitFor(() => expect(faulty.operations.at(-1)).toEqual({ kind: "read", key: read }));
  await later();
  barrier.pass = () => Promise.resolve();
  closed.open();
  expect((await login).status).toBe(200);
  await Promise.all(registering);
  const place = done.slice(5).indexOf("login");
  expect(place).toBeGreaterThanOrEqual(0);
  expect(place).toBeLessThan(maxWaitingPerNetwork / 2);
});
