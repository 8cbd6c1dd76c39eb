import { once } from "node:events";
import type { Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { createExpressStore, type ExpressStoreOptions } from "../../adapters/express.ts";
import type { StorageConfig } from "../../storage/documents/driver.ts";
import { StorageUnavailableError } from "../../storage/documents/unavailable.ts";
import { brokenDriver, describeOnStorages, describeWithPeers } from "../_adapters.ts";
import { createTestLog } from "../_log.ts";
import { requirePeer } from "../_peers.ts";

afterEach(() => void vi.useRealTimers());

describeWithPeers("a store for express-session", () => {
  describeOnStorages("called by itself", (createStorage) => {
    const data = { cookie: { expires: null }, user: { id: 7 }, list: [1, null, "a"] };

    test("gives sessions back as they were", async () => {
      const store = open({ storage: createStorage() });
      expect(await store.get("a")).toBeUndefined();
      await store.set("a", data);
      expect(await store.get("a")).toEqual(data);
      await store.set("a", { cookie: {}, other: true });
      expect(await store.get("a")).toEqual({ cookie: {}, other: true });
      expect(await store.get("A")).toBeUndefined();
    });

    test("ends a session with its cookie, or else after the ttl", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const start = Date.now();
      const store = open({ storage: createStorage(), ttl: 60 });
      const expires = new Date(start + 10_000);
      const ends = [
        ["date", { cookie: { expires } }, 10_000],
        ["text", { cookie: { expires: expires.toISOString() } }, 10_000],
        ["maxAge", { cookie: { maxAge: 20_000 } }, 20_000],
        ["none", data, 60_000],
      ] as const;
      for (const [id, session] of ends) await store.set(id, session);
      for (const [id, , end] of ends) {
        vi.setSystemTime(start + end - 1);
        expect(await store.get(id)).toBeDefined();
        vi.setSystemTime(start + end);
        expect(await store.get(id)).toBeUndefined();
      }
    });

    test("touches the end, not the data, and only where there is a session", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const start = Date.now();
      const store = open({ storage: createStorage() });
      const cookie = { expires: new Date(start + 10_000).toISOString() };
      const later = { expires: new Date(start + 20_000).toISOString() };
      await store.set("a", { cookie, count: 1 });
      const read = (await store.get("a")) as object;
      await store.set("a", { cookie, count: 2 });
      await store.touch("a", { ...read, cookie: later });
      await store.touch("b", { cookie: later });
      vi.setSystemTime(start + 19_999);
      expect(await store.get("a")).toEqual({ cookie: later, count: 2 });
      expect(await store.get("b")).toBeUndefined();
      vi.setSystemTime(start + 20_000);
      await store.touch("a", { cookie: { maxAge: 60_000 } });
      expect(await store.get("a")).toBeUndefined();
    });

    test("does not store again what was destroyed, for as long as it was told", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const store = open({ storage: createStorage(), destroyedTtl: 60 });
      await store.set("a", data);
      await store.destroy("a");
      await store.destroy("never-stored");
      const destroyedAt = Date.now();
      for (const id of ["a", "never-stored"]) {
        await store.set(id, data);
        await store.touch(id, data);
        expect(await store.get(id)).toBeUndefined();
      }
      vi.setSystemTime(destroyedAt + 60_000);
      await store.set("a", data);
      expect(await store.get("a")).toEqual(data);
    });

    test("never stores again a session that was read or stored before its end", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const storage = createStorage();
      const [one, two] = [open({ storage }), open({ storage, destroyedTtl: 60 })];
      const created = { ...data };
      await one.set("a", created);
      const slow = (await one.get("a")) as object;
      await two.destroy("a");
      vi.setSystemTime(Date.now() + 3_600_000);
      for (const session of [created, slow]) {
        await one.set("a", session);
        expect(await two.get("a")).toBeUndefined();
      }
      // Under another id it is another session.
      await one.set("b", slow);
      expect(await two.get("b")).toEqual(data);
    });

    test("keeps what parallel requests change, add and take away", async () => {
      const storage = createStorage();
      const [one, two] = [open({ storage }), open({ storage })];
      await one.set("a", { cookie: {}, changed: { deep: 1 }, removed: 1, same: 1 });
      type Data = { changed?: { deep: number }; removed?: number; added?: number; same: number };
      const [a, b] = [(await one.get("a")) as Data, (await two.get("a")) as Data];
      if (a.changed) a.changed.deep = 2;
      delete b.removed;
      b.added = 3;
      await one.set("a", a);
      await two.set("a", b);
      const all = { cookie: {}, changed: { deep: 2 }, same: 1, added: 3 };
      expect(await one.get("a")).toEqual(all);
      // What the others have added since, the first does not know, and does not take away.
      a.same = 4;
      await one.set("a", a);
      expect(await one.get("a")).toEqual({ ...all, same: 4 });
    });
  });

  test("tells failures to the callbacks, or else to the log", async () => {
    const { log, lines } = createTestLog();
    const { store } = openRaw({ storage: brokenDriver, log });
    const session = { cookie: {} };
    const calls = [
      (callback: Callback) => store.get("a", callback),
      (callback: Callback) => store.set("a", session, callback),
      (callback: Callback) => store.touch("a", session, callback),
      (callback: Callback) => store.destroy("a", callback),
    ];
    for (const call of calls) {
      const error = await new Promise(call);
      expect(error).toBeInstanceOf(StorageUnavailableError);
    }
    expect(lines).toEqual([]);
    store.destroy("a");
    await vi.waitFor(() => expect(lines).toMatchObject([{ level: "error" }]));
    const unfit = await new Promise((resolve) => store.set("a", { big: 1n }, resolve));
    expect(unfit).toBeInstanceOf(TypeError);
  });

  test("refuses what it cannot work with", () => {
    const storage = { driver: "memory" };
    expect(() => openRaw({ storage: { driver: "Redis" } })).toThrow("redis?");
    expect(() => openRaw({ storage, ttl: 0 })).toThrow("ttl");
    expect(() => openRaw({ storage, destroyedTtl: -1 })).toThrow("destroyedTtl");
  });

  describeOnStorages("in Express", (createStorage) => {
    test("keeps a session from request to request, and from server to server", async () => {
      const [one, two] = await serveTwo(createStorage());
      const browser = new Browser();
      expect(await browser.send(one, "/count")).toEqual({ count: 1 });
      expect(await browser.send(two, "/count")).toEqual({ count: 2 });
      expect(await browser.send(one, "/count")).toEqual({ count: 3 });
      expect(await new Browser().send(two, "/count")).toEqual({ count: 1 });
    });

    test("regenerates: a new id, and the old one is dead", async () => {
      const [one, two] = await serveTwo(createStorage());
      const browser = new Browser();
      await browser.send(one, "/count");
      const before = browser.clone();
      expect(await browser.send(one, "/regenerate")).toEqual({ user: "ada" });
      expect(browser.cookie).not.toBe(before.cookie);
      expect(await browser.send(two, "/")).toEqual({ user: "ada" });
      expect(await before.send(two, "/")).toEqual({});
    });

    test("saves and reloads within a request", async () => {
      const [one] = await serveTwo(createStorage());
      const browser = new Browser();
      await browser.send(one, "/count");
      expect(await browser.send(one, "/reload")).toEqual({ count: 1, saved: true });
      expect(await browser.send(one, "/")).toEqual({ count: 1, saved: true });
    });

    test("keeps 50 parallel changes of one session", async () => {
      const [one, two] = await serveTwo(createStorage());
      const browser = new Browser();
      await browser.send(one, "/count");
      const names = Array.from({ length: 50 }, (_, index) => `field${index}`);
      const held = names.map((name, index) =>
        browser.clone().send(index % 2 ? one : two, `/slow/${name}`),
      );
      await one.reached(25);
      await two.reached(25);
      for (const { open: release } of [one, two]) release();
      await Promise.all(held);
      const fields = Object.fromEntries(names.map((name) => [name, true]));
      expect(await browser.send(one, "/")).toEqual({ count: 1, ...fields });
    });

    test.each(["/destroy", "/unset", "/regenerate"])(
      "%s is final for a slow request",
      async (end) => {
        const [one, two] = await serveTwo(createStorage());
        const browser = new Browser();
        await browser.send(one, "/count");
        const before = browser.clone();
        const slow = [before.send(one, "/slow/late"), before.send(one, "/slow/none")];
        await one.reached(2);
        await browser.send(two, end);
        one.open();
        await Promise.all(slow);
        expect(await before.send(two, "/")).toEqual({});
        expect(await before.send(one, "/")).toEqual({});
      },
    );

    test("ends a session that is not used, and extends one that is", async () => {
      vi.useFakeTimers({ toFake: ["Date"] });
      const start = Date.now();
      const [one, two] = await serveTwo(createStorage(), { maxAge: 10_000 });
      const browser = new Browser();
      await browser.send(one, "/count");
      vi.setSystemTime(start + 9_999);
      expect(await browser.send(two, "/")).toEqual({ count: 1 });
      vi.setSystemTime(start + 9_999 + 9_999);
      expect(await browser.send(one, "/")).toEqual({ count: 1 });
      vi.setSystemTime(start + 9_999 + 9_999 + 10_000);
      expect(await browser.send(one, "/")).toEqual({});
    });
  });
});

type Callback = (error?: unknown, value?: unknown) => void;

/** As express-session's types have it; they are no part of an ordinary install. */
interface RawStore {
  get(id: string, callback: Callback): void;
  set(id: string, session: object, callback?: Callback): void;
  touch(id: string, session: object, callback?: Callback): void;
  destroy(id: string, callback?: Callback): void;
}

interface Session extends Record<string, unknown> {
  count?: number;
  save(callback: Callback): void;
  reload(callback: Callback): void;
  regenerate(callback: Callback): void;
  destroy(callback: Callback): void;
}

interface Request {
  session: Session | null;
  readonly params: { readonly name: string };
}

type Handler = (
  request: Request & { session: Session },
  response: ServerResponse & { json(body: unknown): void },
  next: (error?: unknown) => void,
) => void;

interface App {
  use(handler: unknown): void;
  get(path: string, handler: Handler): void;
  listen(port: number, host: string): Server;
}

interface SessionModule {
  (options: object): unknown;
  readonly Store: abstract new () => RawStore;
}

function openRaw(options: ExpressStoreOptions) {
  const session = requirePeer("express-session") as SessionModule;
  const store = createExpressStore(session.Store, { log: createTestLog().log, ...options });
  onTestFinished(() => store.close());
  return { store, session };
}

/** A store whose callbacks are promises. */
function open(options: ExpressStoreOptions) {
  const { store } = openRaw(options);
  return {
    get: (id: string) => toPromise((callback) => store.get(id, callback)),
    set: (id: string, data: object) => toPromise((callback) => store.set(id, data, callback)),
    touch: (id: string, data: object) => toPromise((callback) => store.touch(id, data, callback)),
    destroy: (id: string) => toPromise((callback) => store.destroy(id, callback)),
  };
}

function toPromise(call: (callback: Callback) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error as Error) : resolve(value)));
  });
}

type Shop = Awaited<ReturnType<typeof serve>>;

function serveTwo(storage: StorageConfig, cookie: object = {}): Promise<[Shop, Shop]> {
  return Promise.all([serve(storage, cookie), serve(storage, cookie)]);
}

/** An Express server; what comes to `/slow` waits until the test opens it. */
async function serve(storage: StorageConfig, cookie: object) {
  const { store, session } = openRaw({ storage });
  const app = (requirePeer("express") as () => App)();
  const waiting: (() => void)[] = [];
  app.use(
    session({
      store,
      cookie,
      secret: "the secret of the tests",
      resave: false,
      saveUninitialized: false,
      unset: "destroy",
    }),
  );
  app.get("/", show);
  app.get("/count", (request, response, next) => {
    request.session.count = (request.session.count ?? 0) + 1;
    show(request, response, next);
  });
  app.get("/regenerate", (request, response, next) => {
    request.session.regenerate((error) => {
      if (error) return next(error);
      request.session["user"] = "ada";
      show(request, response, next);
    });
  });
  app.get("/reload", (request, response, next) => {
    request.session["saved"] = true;
    request.session.save((saveError) => {
      if (saveError) return next(saveError);
      request.session["dropped"] = true;
      request.session.reload((error) => (error ? next(error) : show(request, response, next)));
    });
  });
  app.get("/slow/:name", (request, response) => {
    waiting.push(() => {
      if (request.params.name !== "none") request.session[request.params.name] = true;
      response.json({});
    });
    server.emit("arrival");
  });
  app.get("/destroy", (request, response, next) => {
    request.session.destroy((error) => (error ? next(error) : response.json({})));
  });
  app.get("/unset", (request: Request, response) => {
    request.session = null;
    response.json({});
  });
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async reached(requests: number): Promise<void> {
      while (waiting.length < requests) await once(server, "arrival");
    },
    open(): void {
      for (const answer of waiting.splice(0)) answer();
    },
  };
}

const show: Handler = ({ session }, response) => {
  response.json({ ...session, cookie: undefined });
};

class Browser {
  cookie = "";

  clone(): Browser {
    return Object.assign(new Browser(), { cookie: this.cookie });
  }

  async send({ origin }: Shop, path: string): Promise<unknown> {
    const response = await fetch(`${origin}${path}`, { headers: { cookie: this.cookie } });
    expect(response.status).toBe(200);
    this.cookie = response.headers.getSetCookie()[0]?.split(";", 1)[0] ?? this.cookie;
    return response.json();
  }
}
