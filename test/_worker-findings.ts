import createKvDriver from "unstorage/drivers/cloudflare-kv-http";
import type { FindingCase } from "./_shop-findings.ts";

const environment = { production: true, isWorker: true };
const kv = createKvDriver({ accountId: "a", namespaceId: "n", apiToken: "t" });

/** The findings of a worker of `storefront start --workers`. */
export const workerFindings: Readonly<Record<string, FindingCase>> = {
  SF107: { bad: { session: {} }, good: {}, path: "session.secret", environment },
  SF515: {
    bad: { storage: { session: { driver: "fs", base: "./data" }, singleProcess: true } },
    // Lost writes were accepted, and all processes see the same data.
    good: { storage: { session: kv, account: { driver: "redis" }, lossy: true } },
    path: "storage.session",
    environment,
  },
};
