import type { CallSession } from "../session/call-session.ts";
import { RpcError } from "../error.ts";
import { obtainGrant, putGrant } from "./call-grants.ts";
import { createVisit } from "./visitor.ts";
import type { Grant, LoginVisit } from "./visit.ts";
import type { Visitor } from "./visitor.ts";

/**
 * Runs work of the commerce system with a grant. If the system rejects the grant, it is renewed, and the work runs once
 * more. If it can't be renewed, a user's session ends.
 *
 * @param fields further parts of the visit. Without `setGrant`, the session gets the grant that the work sets
 * @param isRepeatable whether the work can run again after several requests; otherwise only after its first request
 * @throws RpcError `session_ended` if the session has ended; `commerce_failed` if it goes on, but the work can't run
 * again; and any other error of `work`
 */
export async function withGrant<Result>(
  session: CallSession,
  grant: Grant | undefined,
  work: (visit: LoginVisit) => Promise<Result>,
  { isRepeatable, ...fields }: Partial<Omit<Visitor, "grant">> & { readonly isRepeatable: boolean },
): Promise<Result> {
  const first = createCountedVisit(session, grant, fields);
  try {
    return await finish(session, first.visit, work, first.issued);
  } catch (error) {
    if (!isRejectedGrant(error)) throw error;
    if (grant === undefined) throw toFailure(session, error);
    const renewed = await obtainGrant(session, grant);
    if (!isRepeatable && first.requests() > 1) throw toFailure(session, error);
    const next = createCountedVisit(session, renewed, fields);
    try {
      return await finish(session, next.visit, work, next.issued);
    } catch (failure) {
      throw isRejectedGrant(failure) ? toFailure(session, failure) : failure;
    }
  }
}

/** An adapter throws this error if the system rejects the grant of the visit. */
export function isRejectedGrant(error: unknown): boolean {
  return error instanceof RpcError && error.code === "session_ended";
}

// --- Internal helpers ---

/** A client that gets `session_ended` shows its visitor as logged out, so the error says that only if it's true. */
function toFailure(session: CallSession, error: unknown): unknown {
  if (session.ended) return error;
  return new RpcError("commerce_failed", {
    detail:
      "The commerce system rejected the visitor's grant, and the method may have changed something before. The session goes on",
    cause: error,
  });
}

function createCountedVisit(
  session: CallSession,
  grant: Grant | undefined,
  fields: Partial<Omit<Visitor, "grant">>,
) {
  let requests = 0;
  let issued: Grant | undefined;
  const visit = createVisit(session, {
    setGrant: (next) => {
      issued = next;
    },
    ...fields,
    grant,
  });
  const send = visit.fetch;
  const counted: typeof fetch = (input, init) => {
    requests++;
    return send(input, init);
  };
  return {
    visit: Object.defineProperty(visit, "fetch", { value: counted, enumerable: true }),
    requests: () => requests,
    issued: () => issued,
  };
}

/** Stores the grant that the work has set, also if the work failed after that: the system has issued it. */
async function finish<Result>(
  session: CallSession,
  visit: LoginVisit,
  work: (visit: LoginVisit) => Promise<Result>,
  issued: () => Grant | undefined,
): Promise<Result> {
  try {
    return await work(visit);
  } finally {
    const grant = issued();
    if (grant !== undefined) await putGrant(session, grant);
  }
}
