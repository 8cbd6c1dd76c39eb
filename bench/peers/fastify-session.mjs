import cookie from "@fastify/cookie";
import session from "@fastify/session";
import fastify from "fastify";
import { announce } from "../listen.mjs";
import { createUser } from "../user.mjs";
import { openRedisStore } from "./redis-store.mjs";
import { isLean, maxAge, redisUrl, secret } from "./settings.mjs";

const app = fastify();
app.register(cookie);
app.register(session, {
  secret,
  cookie: { secure: false, maxAge: maxAge * 1000 },
  // Both are on by default.
  ...(isLean && { saveUninitialized: false, rolling: false }),
  ...(redisUrl && { store: await openRedisStore(redisUrl, { isLean }) }),
});

const methods = {
  async login(request, { email }) {
    await request.session.regenerate();
    request.session.user = createUser(email);
    return { user: request.session.user };
  },
  getUser: async ({ session: { user } }) => ({ user }),
  async setField(request, { value }) {
    request.session.field = value;
    return { value };
  },
};

for (const [name, method] of Object.entries(methods)) {
  app.post(`/api/rpc/${name}`, (request) => method(request, request.body.payload));
}
announce(await app.listen({ port: 0, host: "127.0.0.1" }));
