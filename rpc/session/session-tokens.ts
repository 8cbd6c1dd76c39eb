import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import { waitFor } from "../../storage/leases/shared-work.ts";
import { SessionEndedError, type RecordChange } from "../../storage/sessions/session.ts";
import { RpcError } from "../error.ts";
import { chain } from "./record-changes.ts";
import { SealedTokens, toText } from "./sealed-tokens.ts";
import {
  isUsable,
  leaseSeconds,
  type ObtainTokensOptions,
  type RenewTokens,
  type SessionTokens,
} from "./token-renewals.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/** The tokens in a call's session. The record has them encrypted, and no property of this object shows them. */
export class SessionTokenStore {
  readonly #session: UnitOfWork;
  readonly #sealed: SealedTokens;
  #next: { readonly text: string | undefined; readonly expiresAt: number | undefined } | undefined;
  /** The record whose tokens the call's own tokens replace. */
  #base: SessionRecord | undefined;
  #isLost = false;

  constructor(session: UnitOfWork) {
    this.#session = session;
    this.#sealed = new SealedTokens(session.call);
  }

  /** The tokens of the session, with the changes of this call. */
  async read(): Promise<SessionTokens | undefined> {
    const record = this.#session.current?.record;
    if (this.#next === undefined) this.#base = record;
    const text = this.#next === undefined ? await this.#sealed.openText(record) : this.#next.text;
    return text === undefined ? undefined : (JSON.parse(text) as SessionTokens);
  }

  /**
   * Changes the tokens at the end of the call; `undefined` removes them.
   * @throws RpcError `limit_reached` if they take more than 16 KiB as JSON
   */
  update(tokens: SessionTokens | undefined): void {
    this.#session.assertWritable();
    const text = tokens && toText(tokens);
    if (text !== undefined) this.#sealed.redact(text);
    this.#base ??= this.#session.current?.record;
    const expiresAt = Number.isFinite(tokens?.expiresAt) ? tokens?.expiresAt : undefined;
    this.#next = { text, expiresAt };
  }

  /** See {@link RpcContext.obtainTokens}. @returns `undefined` if `renew` rejects the tokens that the session has */
  async obtain(
    renew: RenewTokens,
    { rejected }: ObtainTokensOptions = {},
  ): Promise<SessionTokens | undefined> {
    const known = await this.read();
    const refused = rejected?.accessToken;
    const { clock } = this.#session.services;
    if (isUsable(known, refused, clock)) return known;
    const session = this.#session;
    if (this.#next !== undefined) await this.#write();
    const { current } = session;
    if (current === undefined) return this.#obtainFirst(renew);
    const renewal = session.services.tokenRenewals.renew(current, refused, this.#sealed, renew);
    const renewed = await waitFor(renewal, session.call.signal);
    if (renewed === "rejected") return undefined;
    // A login of the same call has begun another session.
    if (session.current?.record.handle !== renewed.record.handle) throw new SessionEndedError();
    session.current = renewed;
    const tokens = await this.read();
    // A parallel call has removed them.
    if (tokens === undefined) throw new SessionEndedError();
    return tokens;
  }

  /** Removes the tokens and their pending change, because the session ends or another user's begins. */
  clear(): void {
    this.#base = undefined;
    this.#next = { text: undefined, expiresAt: undefined };
  }

  /** The change of the session's record: one or none. */
  async toChanges(): Promise<RecordChange[]> {
    const { tokens } = this.#session.current?.record ?? {};
    const { ownerKey } = this.#session;
    const next = this.#next;
    if (next?.text !== undefined) {
      const sealed = await this.#sealed.sealText(next.text, ownerKey);
      return [this.#unlessNewer({ tokens: sealed, tokensExpireAt: next.expiresAt })];
    }
    if (tokens === undefined) return [];
    if (next !== undefined) {
      return [this.#unlessNewer({ tokens: undefined, tokensExpireAt: undefined })];
    }
    const sealed = await this.#sealed.reseal(tokens, ownerKey);
    if (sealed === undefined) return [];
    // A parallel call can have stored newer tokens.
    return [(record) => (record.tokens === tokens ? { ...record, tokens: sealed } : record)];
  }

  /** Logs a warning if the change came too late. Call it after the write. */
  reportLoss(): void {
    if (!this.#isLost) return;
    this.#session.call.log.warn(
      "A call's change of the session's tokens was dropped, because a parallel call stored newer ones",
    );
  }

  /** Changes the tokens, unless a parallel call has stored newer tokens since this call read them. */
  #unlessNewer(change: Pick<SessionRecord, "tokens" | "tokensExpireAt">): RecordChange {
    const base = this.#base;
    return (record) => {
      const isAsKnown =
        base === undefined || base.ownerKey !== record.ownerKey || base.tokens === record.tokens;
      // A token without a known expiry is not newer, and neither is one that was got before a renewal.
      const isNewer =
        base?.tokenRenewals === record.tokenRenewals &&
        Number(change.tokensExpireAt) > Number(record.tokensExpireAt);
      this.#isLost = !isAsKnown && !isNewer;
      return this.#isLost ? record : { ...record, ...change };
    };
  }

  /** A guest without a session shares nothing with other calls. Without tokens, the guest gets no session either. */
  async #obtainFirst(renew: RenewTokens): Promise<SessionTokens> {
    const signal = this.#session.services.clock.timeout(leaseSeconds * 800);
    const tokens = await waitFor(renew(undefined, signal), signal);
    if (tokens === undefined) throw new RpcError("not_logged_in");
    // A read begins no session, so nothing can store them.
    if (this.#session.isReadOnly) {
      this.#sealed.redact(toText(tokens));
      return tokens;
    }
    this.update(tokens);
    await this.#write();
    return tokens;
  }

  async #write(): Promise<void> {
    const changes = await this.toChanges();
    if (changes.length > 0) await this.#session.write(chain(changes));
    this.#next = undefined;
    this.#base = this.#session.current?.record;
  }
}
