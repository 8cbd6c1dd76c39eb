import * as z from "zod";
import { serverGroups, shopGroups } from "./config.ts";
import { falseOr, objectOf, type KeyTable } from "./keys/key.ts";
import { loginAttemptsKeys } from "./keys/server-keys.ts";
import { removedSessionKeys, sessionKeys } from "./keys/session-keys.ts";
import { shopKeys } from "./keys/shop-keys.ts";
import { topKeys } from "./keys/top-keys.ts";

/**
 * The schema of a config, made of the tables in `keys/`. The message of an issue says what was expected. Rules
 * between keys are in `config-rules.ts`.
 */
export function createConfigSchema() {
  const session = { schema: objectOf(sessionKeys, removedSessionKeys), expected: "an object" };
  const shop = objectOf({ ...shopKeys, ...toKeys(shopGroups), session });
  const shops = z.array(shop, { error: "a list of shops" }).min(1, { error: "one shop or more" });
  return objectOf({
    shops: { schema: shops, expected: "a list of shops", isRequired: true },
    ...topKeys,
    ...toKeys({ ...shopGroups, ...serverGroups }),
    session,
    loginAttempts: falseOr(loginAttemptsKeys),
  });
}

// --- Internal helpers ---

function toKeys(groups: Readonly<Record<string, KeyTable>>): KeyTable {
  return Object.fromEntries(
    Object.entries(groups).map(([name, table]) => {
      return [name, { schema: objectOf(table), expected: "an object" }];
    }),
  );
}
