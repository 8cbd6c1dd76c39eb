/**
 * Whether a password is among the 49,000 or so that people choose most (ASVS 5.0, 6.2.4), however its
 * letters are written.
 */
export async function isCommonPassword(password: string): Promise<boolean> {
  passwords ??= loadPasswords();
  return (await passwords).has(password.normalize("NFKC").toLowerCase());
}

// --- Internal helpers ---

let passwords: Promise<ReadonlySet<string>> | undefined;

/** The list takes a moment and some megabytes: only where somebody sets a password. */
async function loadPasswords(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import("@zxcvbn-ts/language-common");
  return new Set(dictionary["passwords-common"]);
}
