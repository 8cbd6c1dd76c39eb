import { createServer } from "node:http";

/** Serves on any free port, and says so as `storefront start` does. */
export function listen(listener) {
  const server = createServer(listener).listen(0, "127.0.0.1", () => {
    announce(`http://127.0.0.1:${server.address().port}/`);
  });
}

/** Says where a server listens. */
export function announce(url) {
  process.stdout.write(`listens on ${url}\n`);
}
