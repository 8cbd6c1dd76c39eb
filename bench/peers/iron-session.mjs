/** Without storage: the encrypted session is in the cookie. */
import express from "express";
import { getIronSession } from "iron-session";
import { listen } from "../listen.mjs";
import { createUser } from "../user.mjs";
import { maxAge, secret } from "./settings.mjs";

const options = {
  password: secret,
  cookieName: "session",
  ttl: maxAge,
  cookieOptions: { secure: false },
};

const app = express();
app.use(express.json());

const methods = {
  async login(session, { email }) {
    session.user = createUser(email);
    await session.save();
    return { user: session.user };
  },
  getUser: async ({ user }) => ({ user }),
  async setField(session, { value }) {
    session.field = value;
    await session.save();
    return { value };
  },
};

for (const [name, method] of Object.entries(methods)) {
  app.post(`/api/rpc/${name}`, (request, response, next) => {
    getIronSession(request, response, options)
      .then((session) => method(session, request.body.payload))
      .then((answer) => response.json(answer))
      .catch(next);
  });
}
listen(app);
