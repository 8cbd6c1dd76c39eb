/** Node's own server without a framework: it reads the body, parses it, and answers with JSON. */
import { listen } from "../listen.mjs";
import { answers, createCookie } from "./answers.mjs";
import { endOfTick, isBatched } from "./batching.mjs";

const prefix = "/api/rpc/";

listen((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const name = request.url.slice(prefix.length);
    if (request.method !== "POST" || !Object.hasOwn(answers, name)) {
      response.writeHead(404).end();
      return;
    }
    const { payload } = JSON.parse(Buffer.concat(chunks).toString());
    if (isBatched) void endOfTick().then(() => respond(response, name, payload));
    else respond(response, name, payload);
  });
});

// --- Internal helpers ---

function respond(response, name, payload) {
  if (name === "login") response.setHeader("set-cookie", createCookie());
  const body = JSON.stringify(answers[name](payload));
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", Buffer.byteLength(body));
  response.end(body);
}
