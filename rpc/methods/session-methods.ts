import * as z from "zod/mini";
import { boundedText } from "../schema.ts";
import { RpcError } from "../error.ts";
import { defineRpcMethod } from "../define-method.ts";

/** Lists the user's sessions in all shops of the realm, the last used first. */
export const listSessions = defineRpcMethod({
  access: "user",
  readOnly: true,
  handler: async (_, { sessions, user }) => ({ sessions: await sessions.list(user.id) }),
});

/** Ends one of the user's sessions. */
export const revokeSession = defineRpcMethod({
  access: "user",
  input: z.strictObject({ handle: boundedText(64) }),
  async handler({ handle }, { sessions, user }) {
    if (!(await sessions.end(user.id, handle))) throw new RpcError("unknown_session");
  },
});

/** Ends all of the user's sessions, in every shop of the realm. */
export const logoutEverywhere = defineRpcMethod({
  access: "user",
  input: z.optional(z.strictObject({ keepCurrent: z.optional(z.boolean()) })),
  async handler(
    input,
    { sessionId, sessions, user },
  ): Promise<{ ended: number; complete?: false }> {
    const kept = input?.keepCurrent === true && sessionId !== undefined ? [sessionId] : [];
    const { ended, isComplete } = await sessions.endAll(user.id, kept);
    return { ended, ...(!isComplete && { complete: false }) };
  },
});
