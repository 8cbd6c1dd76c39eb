import type { Answer as AnswerOf } from "../server/testing/cookie-client.ts";

export { CookieClient, type Send } from "../server/testing/cookie-client.ts";

/** A response of any shape. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests read responses of every shape
export type Answer = AnswerOf<any>;
