/** A storefront for tests: the public entry `storefront-core/testing`. It works with any test runner. */

export { createTestStorefront } from "./test-storefront.ts";
export type { TestStorefront, VisitorOptions, WithBuiltins } from "./test-storefront.ts";
export { createTestClock, type TestClock } from "./test-clock.ts";
export { createTestRandom } from "./test-random.ts";
export type { Answer } from "./cookie-client.ts";
export type { Visitor, VisitorAnswer } from "./test-visitor.ts";
export type { FaultKind, FaultTarget, StorageFaults, StorageOperation } from "./storage-faults.ts";
export type { LogLine } from "./test-log.ts";
export type { Clock, Timer } from "../../storage/clock.ts";
export type { Random } from "../../storage/random.ts";
