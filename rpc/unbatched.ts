/**
 * The built-in methods that sign in or out, or that give the session a new ID. They are never part of a batch, because
 * the other calls of the batch would run before or after the change. The server also rejects other methods with `signsIn`.
 */
export const unbatched: ReadonlySet<string> = new Set([
  "login",
  "register",
  "logout",
  "logoutEverywhere",
  "revokeSession",
  "reauthenticate",
  "updatePassword",
  "resetPassword",
  "updateEmail",
]);

/** The most calls of a batch. */
export const maxBatchSize = 20;
