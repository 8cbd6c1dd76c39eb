import { createHash } from "node:crypto";
import type { Account, AccountDocuments, StoredToken } from "./account-documents.ts";

/** The accounts' tokens that mails carry. The storage has their hashes only. */
export function openAccountTokens({ accountsOf, tokensOf, clock, random }: AccountDocuments) {
  return {
    /**
     * Creates a token, which replaces the last one of its kind.
     * @param isWanted whether the account, as it is stored now, gets one
     * @returns `undefined` without a stored token if there is no such account
     */
    async issue(
      realm: string,
      key: string,
      kind: "reset" | "verification",
      isWanted: (account: Account) => boolean = () => true,
    ): Promise<({ readonly account: Account; readonly token: string } & StoredToken) | undefined> {
      // 256 bits, so the storage needs no slow hash (OWASP ASVS 5.0, 6.5.2).
      const token = random.bytes(32).toString("base64url");
      const stored = { hash: hashToken(token), expiresAt: clock.now() + tokenLifetime };
      const { value: known } = await accountsOf(realm).get(key);
      if (known === undefined || !isWanted(known)) return undefined;
      const { expiresAt } = stored;
      await tokensOf(realm).update(stored.hash, () => ({ set: { account: key }, expiresAt }));
      let account: Account | undefined;
      await accountsOf(realm).update(key, (current) => {
        account = current !== undefined && isWanted(current) ? current : undefined;
        return account === undefined ? "keep" : { set: { ...account, [kind]: stored } };
      });
      return account && { account, token, ...stored };
    },

    /** Finds the key of the account that a token was sent for. The account decides whether the token is valid. */
    async find(realm: string, hash: string): Promise<string | undefined> {
      return (await tokensOf(realm).get(hash)).value?.account;
    },

    /** Removes a used token. It is invalid already, so a failure here doesn't matter, and it expires. */
    async remove(realm: string, hash: string): Promise<void> {
      await tokensOf(realm)
        .update(hash, () => "remove")
        .catch(() => undefined);
    },
  };
}

export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Whether a token with this hash is the account's last one, and has not expired. */
export function isCurrent(stored: StoredToken | undefined, hash: string, now: number): boolean {
  return stored?.hash === hash && stored.expiresAt > now;
}

// --- Internal helpers ---

/** Milliseconds in which a token of a mail is valid. */
const tokenLifetime = 30 * 60_000;
