import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { CookieClient } from "../../_cookie-client.ts";
import { startStorefront } from "../../_process.ts";
import { describeWithRedis, startRedis } from "../../_redis.ts";

describeWithRedis("grants of real servers on Redis", () => {
  test("end after a restart, if the system was down and the server was killed", async () => {
    const { start, upstream } = await startUpstream();
    const first = await start();
    const guest = new CookieClient(first.send);
    expect((await guest.call("showGrant")).body).toMatchObject({ token: "begin-1" });
    upstream.isDown = true;
    expect((await guest.call("logout")).status).toBe(204);
    await first.kill();
    upstream.isDown = false;
    await start();
    await expect.poll(() => upstream.ended, { timeout: sweepTime }).toEqual(["begin-1"]);
  }, 90_000);

  test("end after the start, if their session expired while no server ran", async () => {
    const { start, upstream } = await startUpstream();
    const first = await start({ IDLE: "5" });
    await new CookieClient(first.send).call("showGrant");
    // A shutdown takes time, in which the server would end the expired session itself.
    await first.kill();
    await sleep(6000);
    expect(upstream.ended).toEqual([]);
    await start({ IDLE: "5" });
    await expect.poll(() => upstream.ended, { timeout: sweepTime }).toEqual(["begin-1"]);
  }, 90_000);

  test("keep their value when a server resumes that was stopped for 15 seconds during a renewal", async () => {
    const { start, upstream } = await startUpstream();
    const [stopped, other] = [await start(), await start()];
    const guest = new CookieClient(stopped.send);
    upstream.lasts = 1;
    await guest.call("showGrant");
    const twin = new CookieClient(other.send);
    for (const [name, value] of guest.cookies) twin.cookies.set(name, value);
    upstream.lasts = 60_000;
    upstream.holdNext = true;
    const late = guest.call("showGrant");
    await expect.poll(() => upstream.held.length, { timeout: 10_000 }).toBe(1);
    stopped.signal("SIGSTOP");
    const time = sleep(15_000);
    expect((await twin.call("showGrant")).body).toMatchObject({ token: "renew-3" });
    await time;
    for (const release of upstream.held) release();
    stopped.signal("SIGCONT");
    // The one request that was on its way had reached the system. Its answer is not stored.
    expect(await late).toMatchObject({ status: 503, body: { code: /_unavailable$/ } });
    expect((await guest.call("showGrant")).body).toMatchObject({ token: "renew-3" });
    expect(upstream.requests).toEqual(["begin", "renew", "renew"]);
  }, 60_000);
});

// --- Internal helpers ---

/** Milliseconds. A server that is killed in a sweep holds its lease for 30 seconds. */
const sweepTime = 45_000;

const config = fileURLToPath(new URL("../../fixtures/grants.config.mjs", import.meta.url));

/** A commerce system, and servers before it that share a Redis. */
async function startUpstream() {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const upstream = {
    requests: [] as string[],
    ended: [] as string[],
    held: [] as (() => void)[],
    isDown: false,
    holdNext: false,
    /** Milliseconds until a grant expires. */
    lasts: 60_000,
  };
  const server = createServer(async (request, response: ServerResponse) => {
    const name = (request.url ?? "").slice(1);
    let text = "";
    for await (const chunk of request) text += String(chunk);
    if (upstream.isDown) return response.writeHead(500).end();
    if (name === "end") {
      upstream.ended.push((JSON.parse(text) as { token: string }).token);
      return response.end("{}");
    }
    upstream.requests.push(name);
    const token = `${name}-${upstream.requests.length}`;
    const answer = () =>
      response.end(JSON.stringify({ token, expiresAt: Date.now() + upstream.lasts }));
    if (!upstream.holdNext) return answer();
    upstream.holdNext = false;
    return upstream.held.push(answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  async function start(env: Readonly<Record<string, string>> = {}) {
    const started = await startStorefront(config, {
      cwd: fileURLToPath(new URL("../../fixtures", import.meta.url)),
      env: { UPSTREAM_URL: url, REDIS_URL: redis.url, ...env },
    });
    onTestFinished(() => started.kill());
    return started;
  }
  return { start, upstream };
}
