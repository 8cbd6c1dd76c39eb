import express from "express";
import session from "express-session";
import { listen } from "../listen.mjs";
import { createUser } from "../user.mjs";
import { openRedisStore } from "./redis-store.mjs";
import { isLean, maxAge, redisUrl, secret } from "./settings.mjs";

const app = express();
app.use(express.json());
app.use(
  session({
    secret,
    resave: false,
    // The values of the README's examples: `true` with the memory store, `false` with connect-redis.
    saveUninitialized: !isLean && redisUrl === undefined,
    cookie: { maxAge: maxAge * 1000 },
    ...(redisUrl && { store: await openRedisStore(redisUrl, { isLean }) }),
  }),
);
app.post("/api/rpc/login", ({ body, session: current }, response, next) => {
  current.regenerate((error) => {
    if (error) return next(error);
    return response.json({ user: remember(response.req.session, body.payload.email) });
  });
});
app.post("/api/rpc/getUser", (request, response) => {
  response.json({ user: request.session.user });
});
app.post("/api/rpc/setField", (request, response) => {
  request.session.field = request.body.payload.value;
  response.json({ value: request.session.field });
});
listen(app);

// --- Internal helpers ---

function remember(current, email) {
  current.user = createUser(email);
  return current.user;
}
