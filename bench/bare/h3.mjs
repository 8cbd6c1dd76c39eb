/** h3 v2 without sessions. */
import { H3, readBody, serve } from "h3";
import { announce } from "../listen.mjs";
import { answers, createCookie } from "./answers.mjs";
import { endOfTick, isBatched } from "./batching.mjs";

const app = new H3();
for (const [name, answer] of Object.entries(answers)) {
  app.post(`/api/rpc/${name}`, async (event) => {
    const { payload } = await readBody(event);
    if (isBatched) await endOfTick();
    if (name === "login") event.res.headers.set("set-cookie", createCookie());
    return answer(payload);
  });
}
const server = serve(app, { port: 0, hostname: "127.0.0.1", silent: true });
await server.ready();
announce(server.url);
