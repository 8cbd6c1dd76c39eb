import { UnstorageSessionStore, useSession } from "@scayle/h3-session";
import { createApp, createRouter, eventHandler, readBody, toNodeListener } from "h3";
import { createStorage } from "unstorage";
import redisDriver from "unstorage/drivers/redis";
import { listen } from "../listen.mjs";
import { createUser } from "../user.mjs";
import { maxAge, redisUrl, secret } from "./settings.mjs";

const storage = createStorage(redisUrl && { driver: redisDriver({ url: redisUrl }) });
const store = new UnstorageSessionStore(storage, { ttl: maxAge });

const methods = {
  async login(session, { email }) {
    await session.regenerate();
    session.data.user = createUser(email);
    await session.save();
    return { user: session.data.user };
  },
  getUser: (session) => ({ user: session.data.user }),
  async setField(session, { value }) {
    session.data.field = value;
    await session.save();
    return { value };
  },
};

const router = createRouter();
for (const [name, method] of Object.entries(methods)) {
  router.post(
    `/api/rpc/${name}`,
    eventHandler(async (event) => {
      const { payload } = await readBody(event);
      await useSession(event, { store, secret });
      return method(event.context.session, payload);
    }),
  );
}
listen(toNodeListener(createApp().use(router)));
