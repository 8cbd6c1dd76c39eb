import type { Driver } from "unstorage";
import type { AdapterOptions, StorageAdapter } from "../documents/adapter.ts";
import { createRedisAdapter } from "./redis-adapter.ts";
import { isRedisDriver, type RedisDriver } from "./redis-client.ts";

/** unstorage's redis driver, and what this project adds to it. */
export const redisSupport = {
  driver: "redis",
  isSupported: isRedisDriver,
  createAdapter: (driver: Driver, { log }: AdapterOptions): StorageAdapter =>
    createRedisAdapter(driver as RedisDriver, log),
};
