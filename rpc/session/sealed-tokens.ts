import { assertStorable } from "../../storage/documents/stored-json.ts";
import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import type { Call } from "../call.ts";
import { RpcError } from "../error.ts";
import type { ShopServices } from "../shop-services.ts";
import type { SessionTokens, TokenSeal } from "./token-renewals.ts";

/** Opens and seals the tokens of a call's session. No property of this object shows them, and no log line has them. */
export class SealedTokens implements TokenSeal {
  readonly #call: Call;
  #opened: { readonly sealed: string; readonly text: Promise<string | undefined> } | undefined;
  /** Tokens that a rotated key has sealed, and their text. */
  #toReseal: { readonly sealed: string; readonly text: string } | undefined;

  constructor(call: Call) {
    this.#call = call;
  }

  async open(record: SessionRecord): Promise<SessionTokens | undefined> {
    const text = await this.openText(record);
    return text === undefined ? undefined : (JSON.parse(text) as SessionTokens);
  }

  /** @throws RpcError `limit_reached` if they take more than 16 KiB as JSON */
  seal(tokens: SessionTokens, { ownerKey }: SessionRecord): Promise<string> {
    const text = toText(tokens);
    this.redact(text);
    return this.sealText(text, ownerKey);
  }

  /** Opens the tokens of a record as JSON; once, if it is called again. */
  openText(record: SessionRecord | undefined): Promise<string | undefined> | undefined {
    if (record?.tokens === undefined) return undefined;
    const { tokens: sealed, ownerKey } = record;
    if (this.#opened?.sealed !== sealed) {
      this.#opened = { sealed, text: this.#openSealed(sealed, ownerKey) };
    }
    return this.#opened.text;
  }

  /** @param text the tokens as JSON */
  sealText(text: string, ownerKey: string): Promise<string> {
    const { services } = this.#call;
    return services.sealer.seal(text, sealContext(services, ownerKey));
  }

  /** Seals tokens again if they were opened by a rotated key. @returns `undefined` if that isn't due */
  async reseal(sealed: string, ownerKey: string): Promise<string | undefined> {
    if (this.#toReseal?.sealed !== sealed) return undefined;
    return this.sealText(this.#toReseal.text, ownerKey);
  }

  /** Keeps tokens out of log lines and responses. @param text the tokens as JSON */
  redact(text: string): void {
    this.#call.redactor.addSource(() => toValues(text));
  }

  async #openSealed(sealed: string, ownerKey: string): Promise<string | undefined> {
    const { services, log } = this.#call;
    const opened = await services.sealer.unseal(sealed, sealContext(services, ownerKey));
    if (opened === undefined) {
      // The record keeps them, because another server may have the key already.
      log.warn("The session's tokens can't be decrypted. The call continues without them.");
      return undefined;
    }
    const { text, hasOldKey } = opened;
    if (hasOldKey) this.#toReseal = { sealed, text };
    this.redact(text);
    return text;
  }
}

/** Writes tokens as JSON. @throws RpcError `limit_reached`; TypeError if JSON would change or drop a part of the tokens */
export function toText(tokens: SessionTokens): string {
  // JSON can't hold other numbers.
  const expiresAt = Number.isFinite(tokens.expiresAt) ? tokens.expiresAt : undefined;
  const stored = { ...tokens, expiresAt };
  assertStorable(stored, "The tokens of a session");
  const text = JSON.stringify(stored);
  if (Buffer.byteLength(text) > maxBytes) {
    throw new RpcError("limit_reached", { detail: `Tokens take ${maxBytes} bytes at most` });
  }
  return text;
}

// --- Internal helpers ---

const maxBytes = 16_384;

/** A session keeps its owner key under all its IDs. Each login begins another one. */
function sealContext({ shop }: ShopServices, ownerKey: string): string {
  return `session:${shop.shopId}:${ownerKey}`;
}

function toValues(text: string): unknown[] {
  const { accessToken, refreshToken } = JSON.parse(text) as SessionTokens;
  return [accessToken, refreshToken];
}
