export { createTestLog, type LogLine } from "../server/testing/test-log.ts";
