import { describe, expect, test } from "vitest";
import { openTestDevPage, type PageRequest, type TestDevPage } from "../../_dev-page.ts";
import { forProduction, testSecret } from "../../_setup.ts";

const token = "c9f0f895fb98ab9159f51fd0297e236d";
const shops = [{ shopId: 1001, locale: "de-DE", currency: "EUR", host: "shop.test" }];

/** The status of the page, and of its data, and the detail of the problem. */
async function answerTo(page: TestDevPage, options: PageRequest = {}) {
  const responses = [
    await page.request("/_storefront", options),
    await page.request("/_storefront/shops", { payload: {}, ...options }),
  ];
  const texts = await Promise.all(responses.map((response) => response.text()));
  const detail = texts.map((text) => /"detail":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1]);
  return { statuses: responses.map(({ status }) => status), texts, detail: detail[1] };
}

function basic(password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`:${password}`).toString("base64")}` };
}

describe("the development page", () => {
  test.each(["http://localhost:3000", "http://127.0.0.1:3000", "http://[::1]:3000"])(
    "responds to its own machine at %s",
    async (origin) => {
      const { statuses } = await answerTo(openTestDevPage(), { origin });
      expect(statuses).toEqual([200, 200]);
    },
  );

  test.each(["127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1"])(
    "accepts a connection from %s",
    async (ip) => {
      expect((await answerTo(openTestDevPage(), { ip })).statuses).toEqual([200, 200]);
    },
  );

  test.each(["192.0.2.1", "10.0.0.1", "::ffff:192.0.2.1", "2001:db8::1"])(
    "rejects a connection from %s",
    async (ip) => {
      const { statuses, detail } = await answerTo(openTestDevPage(), { ip });
      expect(statuses).toEqual([403, 403]);
      expect(detail).toMatch(/^The page accepts only connections from its own machine/);
    },
  );

  test("rejects a connection without an address", async () => {
    const { statuses, detail } = await answerTo(openTestDevPage(), { ip: undefined });
    expect(statuses).toEqual([403, 403]);
    expect(detail).toMatch(/doesn't know the address/);
  });

  test.each([
    "http://evil.example",
    "http://localhost.evil.example:3000",
    "http://evil.example:3000",
    "http://localhost.:3000",
    "http://127.0.0.1.evil.example",
    "http://192.0.2.1:3000",
  ])("rejects the host of %s, to which DNS rebinding can lead", async (origin) => {
    const { statuses, detail } = await answerTo(openTestDevPage(), { origin });
    expect(statuses).toEqual([403, 403]);
    expect(detail).toMatch(/^The request names the host/);
  });

  test("rejects another Host, whatever the URL is", async () => {
    const headers = { host: "evil.example" };
    expect((await answerTo(openTestDevPage(), { headers })).statuses).toEqual([403, 403]);
  });

  test("responds at the hosts of the config only", async () => {
    const page = openTestDevPage({
      shopSelector: "domain",
      shops,
      publicUrl: "http://front.test:8080",
    });
    for (const origin of ["http://shop.test:3000", "http://front.test"]) {
      expect((await answerTo(page, { origin })).statuses).toEqual([200, 200]);
    }
    const other = await answerTo(page, { origin: "http://other.test:3000" });
    expect(other.statuses).toEqual([403, 403]);
  });

  test.each([
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "forwarded",
    "via",
    "x-real-ip",
  ])("rejects a request with the header %s of a proxy, also of a trusted one", async (name) => {
    const page = openTestDevPage({ trustProxy: true });
    const { statuses, detail } = await answerTo(page, { headers: { [name]: "127.0.0.1" } });
    expect(statuses).toEqual([403, 403]);
    expect(detail).toContain(`has the header ${name}`);
  });

  test.each(["http://localhost:5173", "http://evil.example", "https://localhost:3001", "null"])(
    "rejects a page at %s",
    async (origin) => {
      const page = openTestDevPage({ cors: { origin: ["http://localhost:5173"] } });
      for (const site of ["same-site", "cross-site", "same-origin"]) {
        const headers = { origin, "sec-fetch-site": site };
        const { statuses, texts } = await answerTo(page, { headers });
        expect(statuses, site).toEqual([403, 403]);
        expect(texts.join("")).not.toContain("1001");
      }
    },
  );

  test.each(["same-site", "cross-site"])("rejects a link with Sec-Fetch-Site: %s", async (site) => {
    const response = await openTestDevPage().request("/_storefront", {
      headers: { "sec-fetch-site": site },
    });
    expect(response.status).toBe(403);
  });

  test("opens for a typed address, and sends data to requests with its own Origin only", async () => {
    const page = openTestDevPage();
    const typed = { "sec-fetch-site": "none" };
    expect((await page.request("/_storefront", { headers: typed })).status).toBe(200);
    const bare = { payload: {}, headers: { origin: "", "sec-fetch-site": "" } };
    expect((await page.request("/_storefront/shops", bare)).status).toBe(403);
    const post = { payload: {}, headers: typed };
    expect((await page.request("/_storefront/shops", post)).status).toBe(403);
    // A proxy that rewrites Host without a trace.
    const headers = { origin: "https://dev.example" };
    const proxied = await page.request("/_storefront/shops", { payload: {}, headers });
    expect(proxied.status).toBe(403);
  });

  test("sends no data by GET", async () => {
    for (const name of ["shops", "state", "document", "call", "forget"]) {
      expect((await openTestDevPage().request(`/_storefront/${name}`)).status).toBe(404);
    }
  });

  test("rejects a body that isn't JSON, and a payload with unknown keys", async () => {
    const page = openTestDevPage();
    const headers = { "content-type": "text/plain" };
    const text = await page.request("/_storefront/shops", { payload: {}, headers });
    expect(text.status).toBe(415);
    const state = { shopId: 1001, cookies: true };
    expect((await page.request("/_storefront/state", { payload: state })).status).toBe(422);
    const unknown = await page.request("/_storefront/state", { payload: { shopId: 7 } });
    expect(unknown.status).toBe(404);
  });

  test("allows scripts, styles, and data of its own server only", async () => {
    const { headers } = await openTestDevPage().request("/_storefront");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'; script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("in production, the development page", () => {
  test("doesn't exist", async () => {
    const page = openTestDevPage(forProduction, { production: true });
    const { statuses, detail } = await answerTo(page);
    expect(statuses).toEqual([404, 404]);
    expect(detail).toMatch(/^The development page is off in production/);
  });

  test("doesn't exist with NODE_ENV=production, even if a server opens the storefront for development", async () => {
    const before = process.env["NODE_ENV"];
    process.env["NODE_ENV"] = "production";
    try {
      const page = openTestDevPage({}, { production: false });
      expect((await answerTo(page)).statuses).toEqual([404, 404]);
    } finally {
      process.env["NODE_ENV"] = before;
    }
  });

  test("needs the token of devPage as the password of Basic authentication", async () => {
    const devPage = { token: ["another-6512bd43d9caa6e02c990b0a82652dca", token] };
    const page = openTestDevPage({ ...forProduction, devPage }, { production: true });
    const without = await page.request("/_storefront");
    expect(without.status).toBe(401);
    expect(without.headers.get("www-authenticate")).toMatch(/^Basic /);
    for (const wrong of ["", "x", token.slice(1), `${token} `, testSecret]) {
      expect((await answerTo(page, { headers: basic(wrong) })).statuses).toEqual([401, 401]);
    }
    expect((await answerTo(page, { headers: basic(token) })).statuses).toEqual([200, 200]);
    expect(JSON.stringify(page.lines)).not.toContain(token.slice(1));
  });

  test("still rejects other machines, hosts, and origins if the token is right", async () => {
    const page = openTestDevPage({ ...forProduction, devPage: { token } }, { production: true });
    const headers = basic(token);
    for (const options of [
      { headers, ip: "192.0.2.1" },
      { headers, origin: "http://evil.example" },
      { headers: { ...headers, "x-forwarded-for": "127.0.0.1" } },
      { headers: { ...headers, origin: "http://evil.example" } },
    ]) {
      expect((await answerTo(page, options)).statuses).toEqual([403, 403]);
    }
  });
});

test("in development, the page needs the token too if the config has one", async () => {
  const page = openTestDevPage({ devPage: { token } });
  expect((await answerTo(page)).statuses).toEqual([401, 401]);
  expect((await answerTo(page, { headers: basic(token) })).statuses).toEqual([200, 200]);
});

test("the page is off if several processes serve the port", async () => {
  const before = process.env["WEB_CONCURRENCY"];
  process.env["WEB_CONCURRENCY"] = "2";
  try {
    const { statuses, detail } = await answerTo(openTestDevPage());
    expect(statuses).toEqual([404, 404]);
    expect(detail).toMatch(/remembers its visitors in one process/);
  } finally {
    if (before === undefined) delete process.env["WEB_CONCURRENCY"];
    else process.env["WEB_CONCURRENCY"] = before;
  }
});
