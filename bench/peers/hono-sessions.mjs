import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { MemoryStore, sessionMiddleware } from "hono-sessions";
import { announce } from "../listen.mjs";
import { createUser } from "../user.mjs";
import { isLean, maxAge, secret } from "./settings.mjs";

const app = new Hono();
app.use(
  "*",
  sessionMiddleware({
    store: new MemoryStore(),
    // Recommended. Not required if the session stays on the server.
    ...(!isLean && { encryptionKey: secret }),
    expireAfterSeconds: maxAge,
    cookieOptions: { sameSite: "Lax", path: "/", httpOnly: true },
  }),
);
app.post("/api/rpc/login", async (context) => {
  const { payload } = await context.req.json();
  const user = createUser(payload.email);
  context.set("session_key_rotation", true);
  context.get("session").set("user", user);
  return context.json({ user });
});
app.post("/api/rpc/getUser", async (context) => {
  await context.req.json();
  return context.json({ user: context.get("session").get("user") ?? undefined });
});
app.post("/api/rpc/setField", async (context) => {
  const { payload } = await context.req.json();
  context.get("session").set("field", payload.value);
  return context.json({ value: payload.value });
});
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) =>
  announce(`http://127.0.0.1:${port}/`),
);
