import * as z from "zod";
import { RpcError } from "../error.ts";
import { defineRpcMethod } from "../method.ts";

/** Lists the user's sessions in all shops of the realm, the last used first. */
export const listSessions = defineRpcMethod({
  access: "user",
  readOnly: true,
  handler: async (_, { sessions, user }) => ({ sessions: await sessions.list(user.id) }),
});

/** Ends one of the user's sessions. */
export const revokeSession = defineRpcMethod({
  access: "user",
  input: z.strictObject({ handle: z.string().min(1).max(64) }),
  async handler({ handle }, { sessions, user }) {
    if (!(await sessions.end(user.id, handle))) throw new RpcError("unknown_session");
  },
});

/** Ends all of the user's sessions, in every shop of the realm. */
export const logoutEverywhere = defineRpcMethod({
  access: "user",
  input: z.strictObject({ keepCurrent: z.boolean().default(false) }).prefault({}),
  async handler(
    { keepCurrent },
    { sessionId, sessions, user },
  ): Promise<{ ended: number; complete?: false }> {
    const kept = keepCurrent && sessionId !== undefined ? [sessionId] : [];
    const { ended, isComplete } = await sessions.endAll(user.id, kept);
    return { ended, ...(!isComplete && { complete: false }) };
  },
});
