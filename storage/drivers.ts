import { resolve } from "node:path";
import type { Driver } from "unstorage";
import type { DriverLoader } from "./documents/driver.ts";
import { drivers as portableDrivers } from "./worker-drivers.ts";
import { redisSupport } from "./redis/redis-support.ts";

/** The drivers that a config can name. A bundle for a worker gets `worker-drivers.ts` instead, by `imports`. */
export const drivers: Readonly<Record<string, DriverLoader>> = {
  ...portableDrivers,
  async fs(options) {
    const { default: createDriver } = await import("unstorage/drivers/fs");
    return wholeFiles(createDriver(options as { base: string }), options);
  },
  async "fs-lite"(options) {
    const { default: createDriver } = await import("unstorage/drivers/fs-lite");
    return wholeFiles(createDriver(options as { base: string }), options);
  },
  async redis(options) {
    const { default: createDriver } = await import("unstorage/drivers/redis");
    return createDriver(options);
  },
};

/** The unstorage drivers whose storage can compare and swap, so that changes are atomic across processes. */
export const supports = [redisSupport];

// --- Internal helpers ---

async function wholeFiles(driver: Driver, { base }: { base?: unknown }) {
  const { withWholeFiles } = await import("./documents/file-driver.ts");
  return withWholeFiles(driver, resolve(String(base)));
}
