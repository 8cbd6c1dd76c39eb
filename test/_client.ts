import { parseSetCookie } from "cookie-es";
import type { Auth } from "../rpc/accounts/auth.ts";
import { CookieClient, type Answer, type Send } from "./_cookie-client.ts";

/** The transport of a client's session. */
export type Transport = "cookie" | "bearer";

/** The change of a client's credential in one response. */
export type CredentialUpdate = "unchanged" | "sent" | "cleared";

/** The default header for tokens. */
export const tokenHeader = "storefront-auth-token";

/** The one account of {@link createTestAuth}. */
export const testAccount = { email: "ada@example.com", password: "correct horse" };

/** An `auth` with one customer and without password hashing. */
export function createTestAuth(): Auth {
  const user = { id: 7, email: testAccount.email };
  return {
    login: async ({ password }) => (password === testAccount.password ? user : undefined),
    register: async () => user,
    changePassword: async () => true,
    changeEmail: async ({ email }) => ({ ...user, email }),
  };
}

/** A client that stores its cookie or token. */
export class TestClient {
  readonly transport: Transport;
  readonly shopId: number;
  /** The cookie's raw value or the token. */
  credential: string | undefined;
  readonly #send: Send;

  constructor(transport: Transport, send: Send, shopId = 1001) {
    this.transport = transport;
    this.#send = send;
    this.shopId = shopId;
  }

  /** Calls a method. @throws Error if the response uses the other transport */
  async call(
    method: string,
    payload?: unknown,
  ): Promise<Answer & { readonly credentialUpdate: CredentialUpdate }> {
    const answer = await this.callRaw(method, payload);
    const [updated, stray] =
      this.transport === "cookie"
        ? [readCookie(answer), readToken(answer)]
        : [readToken(answer), readCookie(answer)];
    if (stray !== undefined)
      throw new Error(`Received a credential by another transport than ${this.transport}`);
    if (updated === undefined) return { ...answer, credentialUpdate: "unchanged" };
    this.credential = updated === "" ? undefined : updated;
    return { ...answer, credentialUpdate: updated === "" ? "cleared" : "sent" };
  }

  /** Calls a method, and doesn't store the new credential. */
  callRaw(method: string, payload?: unknown, headers = this.headers): Promise<Answer> {
    const client = new CookieClient(this.#send, this.shopId);
    return client.call(method, payload, headers);
  }

  /** The request headers with the credential. */
  get headers(): Record<string, string> {
    if (this.credential === undefined) return {};
    return this.transport === "cookie"
      ? { cookie: `$session-${this.shopId}=${this.credential}` }
      : { authorization: `Bearer ${this.credential}` };
  }

  /** The session ID in the credential. */
  get sessionId(): string | undefined {
    if (this.credential === undefined) return undefined;
    return this.transport === "cookie"
      ? decodeURIComponent(this.credential).slice(2, -44)
      : Buffer.from(this.credential.slice(0, -44), "base64url").toString();
  }

  /** Another client with the same credential, in the same shop or another, at the same server or another. */
  clone({ shopId = this.shopId, send = this.#send } = {}): TestClient {
    const twin = new TestClient(this.transport, send, shopId);
    twin.credential = this.credential;
    return twin;
  }
}

/** The raw value of the session cookie that a response sets; `""` if the response clears it. */
export function readCookie({ setCookies }: Answer): string | undefined {
  const cookie = parseSetCookie(setCookies.join(), { decode: (value) => value });
  return cookie?.maxAge === 0 ? "" : cookie?.value;
}

/** The token that a response issues; `""` if the response clears it. */
export function readToken({ headers }: Answer): string | undefined {
  return headers.get(tokenHeader) ?? undefined;
}
