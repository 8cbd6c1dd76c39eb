/** The common passwords. In a bundle for a worker, `imports` replaces this module with the 3,000 most common ones. */
export async function loadPasswords(): Promise<readonly string[]> {
  const { dictionary } = await import("@zxcvbn-ts/language-common");
  return dictionary["passwords-common"];
}
