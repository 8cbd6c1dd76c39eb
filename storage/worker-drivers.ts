import type * as standard from "./drivers.ts";
import { portableDrivers } from "./portable-drivers.ts";

/** Stands for `drivers.ts` in a bundle for a worker, which has no TCP connections and no files. */
export const drivers: typeof standard.drivers = portableDrivers;

export const supports: typeof standard.supports = [];
