import { createJiti } from "jiti";
import { absent } from "storefront-core/storage";
import { createUser } from "./user.mjs";

// No entry of the package exports these.
const jiti = createJiti(import.meta.url, { fsCache: false });
const { toEnvelope } = await jiti.import("../storage/documents/envelope.ts");
const { systemRandom } = await jiti.import("../storage/random.ts");
const { createHandle, createSessionId } = await jiti.import(
  "../storage/sessions/session-record.ts",
);

/** Fills a store with sessions of other users, or with the indexes of these users. */
export async function fillStore(store, kind, count, expiresAt) {
  const collection = store.collection(collections[kind], () => true);
  for (let user = 0; user < count; user++) {
    const { key, value, end } = createOther(kind, user, expiresAt);
    await collection.update(key, () => ({ set: value, expiresAt: end }), absent);
  }
}

/** Does the same in Redis, with many documents per round trip. */
export async function fillRedis(client, kind, count, expiresAt) {
  for (let start = 0; start < count; start += batch) {
    const pipeline = client.pipeline();
    for (let user = start; user < Math.min(start + batch, count); user++) {
      const { key, value, end } = createOther(kind, user, expiresAt);
      const { text } = toEnvelope(JSON.stringify(value), end);
      pipeline.set(`${collections[kind]}:${key}`, text, "PX", Math.max(1, end - Date.now()));
    }
    await pipeline.exec();
  }
}

// --- Internal helpers ---

const collections = { sessions: "session:1001", users: "user:default" };
const dayMilliseconds = 86_400_000;
const batch = 2000;

/** One document as a login writes it: the session record, or the user's index with one entry. */
function createOther(kind, number, expiresAt) {
  const now = Date.now();
  const end = expiresAt ?? now + dayMilliseconds;
  const userId = `other-${number}`;
  const id = createSessionId({ id: userId }, systemRandom);
  const handle = createHandle(systemRandom);
  if (kind === "users") {
    const entry = { id, shopId: 1001, createdAt: now, lastSeenAt: now, expiresAt: end };
    const session = { ...entry, userAgent: "node", transport: "cookie" };
    const value = { sessions: { [handle]: session }, pendingMerges: [], endedAt: 0 };
    return { key: userId, value, end };
  }
  const user = createUser(`${userId}@shop.example`);
  const value = { createdAt: now, handle, user };
  return { key: id.slice(id.indexOf(":") + 1), value, end };
}
