import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import type { StorageConfig } from "../../storage/documents/driver.ts";
import { describeOnStorages, describeWithPeers } from "../_adapters.ts";
import { requirePeer } from "../_peers.ts";
import { type App, type Handler, type Request, openRaw } from "../fixtures/express-store.ts";

afterEach(() => void vi.useRealTimers());

describeWithPeers("express-session with the store", () => {
  describeOnStorages("in Express", (createStorage) => {
    test("keeps a session across requests and servers", async () => {
      const [one, two] = await serveTwo(createStorage());
      const browser = new Browser();
      expect(await browser.send(one, "/count")).toEqual({ count: 1 });
      expect(await browser.send(two, "/count")).toEqual({ count: 2 });
      expect(await browser.send(one, "/count")).toEqual({ count: 3 });
      expect(await new Browser().send(two, "/count")).toEqual({ count: 1 });
    });

    test("regenerates the ID, and the old one is invalid", async () => {
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

    test("expires an unused session, and extends a used one", async () => {
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

// --- Internal helpers ---

type Shop = Awaited<ReturnType<typeof serve>>;

function serveTwo(storage: StorageConfig, cookie: object = {}): Promise<[Shop, Shop]> {
  return Promise.all([serve(storage, cookie), serve(storage, cookie)]);
}

/** An Express server; requests to `/slow` wait until the test calls `open`. */
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
