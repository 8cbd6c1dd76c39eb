import {
  CookieClient as TypedClient,
  type Answer as AnswerOf,
} from "../server/testing/cookie-client.ts";

export type { Send } from "../server/testing/cookie-client.ts";

/** A response of any shape. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests read responses of every shape
export type Answer = AnswerOf<any>;

/** A client that gets responses of any shape. */
export const CookieClient = TypedClient<Answer["body"]>;
export type CookieClient = InstanceType<typeof CookieClient>;
