import { RedisStore } from "connect-redis";
import { createClient } from "redis";

/** connect-redis as its README sets it up. Lean: sessions are not extended when they are read. */
export async function openRedisStore(url, { isLean }) {
  const client = createClient({ url });
  client.on("error", (error) => process.stderr.write(`${error}\n`));
  await client.connect();
  return new RedisStore({ client, prefix: "bench:", disableTouch: isLean });
}
