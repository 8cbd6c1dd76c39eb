import { RedisStore } from "connect-redis";
import { createClient } from "redis";

/** connect-redis with the settings of its README. Lean: a read extends no session. */
export async function openRedisStore(url, { isLean }) {
  const client = createClient({ url });
  client.on("error", (error) => process.stderr.write(`${error}\n`));
  await client.connect();
  return new RedisStore({ client, prefix: "bench:", disableTouch: isLean });
}
