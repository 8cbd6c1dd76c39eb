import * as z from "zod";
import { callOf } from "../context.ts";
import { describeDevice } from "./device.ts";
import { RpcError } from "../error.ts";
import { defineRpcMethod } from "../method.ts";
import { destroySessionByHandle, destroySessionsOf } from "../session/logout.ts";

/** The user's sessions in all shops of the realm, the last used first. None can be used as a login. */
export const listSessions = defineRpcMethod({
  access: "user",
  readOnly: true,
  async handler(_, context) {
    const { services, session: own } = callOf(context);
    const indexes = await Promise.all(
      services.realm.users.map((users) => users.read(context.user.id)),
    );
    const sessions = indexes
      .flatMap(({ sessions: ofUser }) => Object.entries(ofUser))
      .map(([handle, { shopId, createdAt, lastSeenAt, userAgent, transport }]) => {
        const current = handle === own.current?.record.handle;
        const device = describeDevice(userAgent);
        return { handle, shopId, createdAt, lastSeenAt, transport, device, userAgent, current };
      })
      .toSorted((a, b) => b.lastSeenAt - a.lastSeenAt);
    return { sessions };
  },
});

/** Ends one of the user's sessions. */
export const revokeSession = defineRpcMethod({
  access: "user",
  input: z.strictObject({ handle: z.string().min(1).max(64) }),
  async handler({ handle }, context) {
    const { session } = callOf(context);
    if (!(await destroySessionByHandle(session, context.user.id, handle))) {
      throw new RpcError("unknown_session");
    }
  },
});

/** Ends all of the user's sessions, in every shop of the realm. */
export const logoutEverywhere = defineRpcMethod({
  access: "user",
  input: z.strictObject({ keepCurrent: z.boolean().default(false) }).prefault({}),
  async handler({ keepCurrent }, context): Promise<{ ended: number; complete?: false }> {
    const { user, sessionId } = context;
    const kept = keepCurrent && sessionId !== undefined ? [sessionId] : [];
    const { count, isComplete } = await destroySessionsOf(callOf(context).session, user.id, kept);
    return { ended: count, ...(!isComplete && { complete: false }) };
  },
});
