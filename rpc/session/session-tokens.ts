import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import type { RecordChange } from "../../storage/sessions/session-records.ts";
import type { Vault } from "../../storage/documents/sealer.ts";
import type { ShopServices } from "../shop-services.ts";
import type { Call } from "../call.ts";
import { RpcError } from "../error.ts";

/** What a commerce system behind the storefront has given for this visitor. */
export interface SessionTokens {
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  /** When the access token ends, in epoch milliseconds. */
  readonly expiresAt?: number | undefined;
}

/** The tokens in the session of one call: sealed in its record, open in no property of anything. */
export class CallTokens {
  readonly #vault: Vault;
  readonly #shopId: number;
  readonly #call: Call;
  #next: { readonly text: string | undefined; readonly expiresAt: number | undefined } | undefined;
  /** The tokens that the call's own tokens replace. */
  #base: TokenRecord | undefined;
  #opened: { readonly sealed: string; readonly text: Promise<string | undefined> } | undefined;
  /** What an old key has sealed, and the text of it. */
  #old: { readonly sealed: string; readonly text: string } | undefined;
  #isLost = false;

  constructor({ shop, vault }: ShopServices, call: Call) {
    this.#vault = vault;
    this.#shopId = shop.shopId;
    this.#call = call;
  }

  /** The tokens of a session, with the changes of this call. */
  async read(record: TokenRecord | undefined): Promise<SessionTokens | undefined> {
    if (this.#next === undefined) this.#base = record;
    const text = this.#next === undefined ? await this.#open(record) : this.#next.text;
    return text === undefined ? undefined : (JSON.parse(text) as SessionTokens);
  }

  /**
   * Changes the tokens at the end of the call; `undefined` removes them.
   * @param record the session as the call knows it
   * @throws RpcError `limit_reached` where they take more than 16 KiB as JSON
   */
  update(tokens: SessionTokens | undefined, record: TokenRecord | undefined): void {
    const text = tokens && JSON.stringify(tokens);
    if (text !== undefined && Buffer.byteLength(text) > maxBytes) {
      throw new RpcError("limit_reached", { detail: `Tokens take ${maxBytes} bytes at most` });
    }
    if (text !== undefined) this.#call.redactor.addSource(() => toValues(text));
    this.#base ??= record;
    this.#next = { text, expiresAt: toExpiry(tokens) };
  }

  /** Forgets the tokens and their pending change, because the session ends or another user's begins. */
  forget(): void {
    this.#base = undefined;
    this.#next = { text: undefined, expiresAt: undefined };
  }

  /**
   * What is to be changed of a record: nothing, or one thing.
   * @param record as it stands; of one that is yet to be, its owner key is enough
   */
  async toChanges({ ownerKey, tokens }: TokenRecord): Promise<RecordChange[]> {
    const next = this.#next;
    const old = this.#old;
    if (next?.text !== undefined) {
      const sealed = await this.#vault.seal(next.text, this.#placeOf(ownerKey));
      return [this.#unlessNewer({ tokens: sealed, tokensExpireAt: next.expiresAt })];
    }
    if (tokens === undefined) return [];
    if (next !== undefined) {
      return [this.#unlessNewer({ tokens: undefined, tokensExpireAt: undefined })];
    }
    if (old?.sealed !== tokens) return [];
    const sealed = await this.#vault.seal(old.text, this.#placeOf(ownerKey));
    // A parallel call may have newer ones.
    return [(record) => (record.tokens === tokens ? { ...record, tokens: sealed } : record)];
  }

  /** Logs a warning if the change came too late; call it after the write. */
  reportLoss(): void {
    if (!this.#isLost) return;
    this.#call.log.warn(
      "A call's change of the session's tokens was dropped, because a parallel call stored newer ones",
    );
  }

  /** Changes the tokens, unless a parallel call has stored newer ones since this call read them. */
  #unlessNewer(change: Pick<SessionRecord, "tokens" | "tokensExpireAt">): RecordChange {
    const base = this.#base;
    return (record) => {
      const isAsKnown =
        base === undefined || base.ownerKey !== record.ownerKey || base.tokens === record.tokens;
      this.#isLost = !isAsKnown && !isLater(change.tokensExpireAt, record.tokensExpireAt);
      return this.#isLost ? record : { ...record, ...change };
    };
  }

  #open(record: TokenRecord | undefined): Promise<string | undefined> | undefined {
    if (record?.tokens === undefined) return undefined;
    const { tokens: sealed, ownerKey } = record;
    if (this.#opened?.sealed !== sealed) {
      this.#opened = { sealed, text: this.#openSealed(sealed, ownerKey) };
    }
    return this.#opened.text;
  }

  async #openSealed(sealed: string, ownerKey: string): Promise<string | undefined> {
    const opened = await this.#vault.open(sealed, this.#placeOf(ownerKey));
    if (opened === undefined) {
      // They stay where they are: another server may have the key already.
      this.#call.log.warn(
        "What a session keeps from elsewhere does not open, and counts as absent",
      );
      return undefined;
    }
    const { text, isOld } = opened;
    if (isOld) this.#old = { sealed, text };
    this.#call.redactor.addSource(() => toValues(text));
    return text;
  }

  /** A session keeps its owner key under all its ids; each login begins another. */
  #placeOf(ownerKey: string): string {
    return `session:${this.#shopId}:${ownerKey}`;
  }
}

// --- Internal helpers ---

type TokenRecord = Pick<SessionRecord, "ownerKey" | "tokens">;

const maxBytes = 16_384;

/** JSON can't hold other numbers. */
function toExpiry(tokens: SessionTokens | undefined): number | undefined {
  const expiresAt = tokens?.expiresAt;
  return Number.isFinite(expiresAt) ? expiresAt : undefined;
}

function isLater(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && b !== undefined && a > b;
}

function toValues(text: string): unknown[] {
  const { accessToken, refreshToken } = JSON.parse(text) as SessionTokens;
  return [accessToken, refreshToken];
}
