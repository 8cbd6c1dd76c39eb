import type { CallSession } from "./call-session.ts";

/** Makes each function of an object reject if the call is read-only, for example the functions that change accounts. */
export function forWritableCall<Functions extends object>(
  session: CallSession,
  functions: Functions,
): Functions {
  if (!session.isReadOnly) return functions;
  const refuse = async () => session.assertWritable();
  return Object.fromEntries(Object.keys(functions).map((name) => [name, refuse])) as Functions;
}
