/** Whether a key says of its value that it is a secret. */
export function isTelling(key: unknown): boolean {
  return typeof key === "string" && telling.test(key);
}

/** Texts and numbers of a payload that stand under a key that says that they are secrets. */
export function* findNamedSecrets(
  payload: unknown,
  isNamed = false,
  seen = new Set<object>(),
): Iterable<unknown> {
  if (typeof payload !== "object" || payload === null) {
    if (isNamed) yield payload;
    return;
  }
  // What a schema makes of a payload can have a circle.
  if (seen.has(payload)) return;
  seen.add(payload);
  for (const [key, value] of Object.entries(payload)) {
    // A cookie in a payload is mostly a choice, such as `cookieConsent: "all"`.
    const isSecret = isNamed || (isTelling(key) && !/cookie/i.test(key));
    yield* findNamedSecrets(value, isSecret, seen);
  }
}

// --- Internal helpers ---

const telling = /passw|passphrase|pwd|secret|token|authorization|cookie/i;
