/** Whether a password is one of some 49,000 common passwords (ASVS 5.0, 6.2.4); ignores the case of letters. */
export async function isCommonPassword(password: string): Promise<boolean> {
  passwords ??= loadPasswords();
  return (await passwords).has(password.normalize("NFKC").toLowerCase());
}

// --- Internal helpers ---

let passwords: Promise<ReadonlySet<string>> | undefined;

/** Loads the list when a user sets the first password, because it takes 50 ms and some megabytes. */
async function loadPasswords(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import("@zxcvbn-ts/language-common");
  return new Set(dictionary["passwords-common"]);
}
