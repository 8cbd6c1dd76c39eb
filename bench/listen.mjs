import { createServer } from "node:http";

/** Serves on a free port, and prints the URL as `storefront start` does. */
export function listen(listener) {
  const server = createServer(listener).listen(0, "127.0.0.1", () => {
    announce(`http://127.0.0.1:${server.address().port}/`);
  });
}

/** Prints the URL of a server. */
export function announce(url) {
  process.stdout.write(`listens on ${url}\n`);
}
