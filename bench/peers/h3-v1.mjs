/** h3 v1 without sessions. @scayle/h3-session uses it. */
import { createApp, createRouter, eventHandler, readBody, setHeader, toNodeListener } from "h3";
import { answers, createCookie } from "../bare/answers.mjs";
import { listen } from "../listen.mjs";

const router = createRouter();
for (const [name, answer] of Object.entries(answers)) {
  router.post(
    `/api/rpc/${name}`,
    eventHandler(async (event) => {
      const { payload } = await readBody(event);
      if (name === "login") setHeader(event, "set-cookie", createCookie());
      return answer(payload);
    }),
  );
}
listen(toNodeListener(createApp().use(router)));
