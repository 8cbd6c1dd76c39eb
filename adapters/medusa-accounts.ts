import * as z from "zod";
import {
  RpcError,
  type Auth,
  type Credentials,
  type LoginVisit,
  type ShopUser,
} from "../server/index.ts";
import {
  toError,
  type MedusaGrant,
  type MedusaRequest,
  type MedusaVisit,
  type Operation,
} from "./medusa-request.ts";

/** Accounts of Medusa's provider `emailpass`. */
export function createMedusaAccounts(api: MedusaRequest): Auth<MedusaGrant> {
  return {
    async login(credentials, visit) {
      const login = await logIn(credentials, visit);
      return login && enter(login, visit);
    },

    async verifyPassword({ user, password }, visit) {
      const login = await logIn({ email: user.email ?? "", password }, visit);
      return login !== undefined && readClaims(login.token).actor_id === user.id;
    },

    async register({ email, password, firstName, lastName }, visit) {
      const { token } = await claim(visit, {
        path: `${provider}/register`,
        body: { email, password },
        result: issued,
      });
      await claim(visit, {
        path: "/store/customers",
        body: { email, first_name: firstName, last_name: lastName },
        token,
      });
      // The first token has no customer, because it is older than the customer.
      const login = await refreshToken(api, visit, token);
      const user = login && (await enter(login, visit));
      if (user === undefined) throw new RpcError("email_taken");
      return user;
    },

    changePassword() {
      // Medusa changes a password only with a token from an email.
      return Promise.reject(new RpcError("unknown_method"));
    },

    async requestPasswordReset({ email }, visit) {
      const path = `${provider}/reset-password`;
      await api.request(visit, { path, body: { identifier: email } });
    },

    async resetPassword({ token, newPassword: password }, visit) {
      // Otherwise, it could not be in a header.
      if (!jwtPattern.test(token)) return undefined;
      const path = `${provider}/update`;
      const { rejection } = await api.send(visit, { path, body: { password }, token });
      if (rejection?.status === 401) return undefined;
      if (rejection !== undefined) throw toError(rejection);
      const { entity_id: email } = resetClaims.parse(readJwt(token));
      const login = await logIn({ email, password }, visit);
      return login && findUser(api, visit, login);
    },

    async updateUser({ profile: { firstName, lastName } }, visit) {
      const body = { first_name: firstName, last_name: lastName };
      return toUser(await api.request(visit, { path: customerPath, body, result: customerBody }));
    },
  };

  /** @returns `undefined` if the email address or the password is wrong */
  async function logIn(body: Credentials, visit: MedusaVisit): Promise<Login | undefined> {
    const { result, rejection } = await api.send(visit, { path: provider, body, result: issued });
    if (rejection === undefined || rejection.status === 401) return result;
    throw toError(rejection);
  }

  async function enter(login: Login, visit: LoginVisit<MedusaGrant>) {
    const user = await findUser(api, visit, login);
    if (user !== undefined) visit.setGrant(toGrant(login));
    return user;
  }

  /** @throws RpcError `email_taken` if the address has an account */
  async function claim<T>(visit: MedusaVisit, operation: Operation<T>): Promise<T> {
    const { result, rejection } = await api.send(visit, operation);
    if (rejection === undefined) return result;
    const isTaken = rejection.status === 401 || rejection.type === "duplicate_error";
    throw isTaken ? new RpcError("email_taken") : toError(rejection);
  }
}

/** Gets a new token for one that has not expired. @returns `undefined` if Medusa rejects the old one */
export async function refreshToken(
  api: MedusaRequest,
  visit: MedusaVisit,
  token: string,
): Promise<Login | undefined> {
  const operation = { path: "/auth/token/refresh", body: {}, token, result: issued };
  const { result, rejection } = await api.send(visit, operation);
  if (rejection === undefined || rejection.status === 401) return result;
  throw toError(rejection);
}

/**
 * @returns `undefined` if the login has no customer, for example because the customer was deleted
 * @throws RpcError `email_not_verified` or `mfa_required`
 */
export async function findUser(
  api: MedusaRequest,
  visit: MedusaVisit,
  { token, verification_required: isUnverified, mfa_required: needsMfa }: Login,
): Promise<ShopUser | undefined> {
  if (isUnverified) throw new RpcError("email_not_verified");
  if (needsMfa)
    throw new RpcError("mfa_required", { status: 403, title: "The login needs a second factor" });
  if (readClaims(token).actor_id === "") return undefined;
  const found = await api.send(visit, { path: customerPath, token, result: customerBody });
  if (found.rejection === undefined) return toUser(found.result);
  if (found.rejection.status === 404) return undefined;
  throw toError(found.rejection);
}

/** The token is renewed after half of its lifetime, because Medusa doesn't renew an expired one. */
export function toGrant({ token }: Login): MedusaGrant {
  const { iat, exp } = readClaims(token);
  return { token, expiresAt: (iat + (exp - iat) / 2) * 1000 };
}

// --- Internal helpers ---

const provider = "/auth/customer/emailpass";
const customerPath = "/store/customers/me?fields=id,email,first_name,last_name";

const issued = z.object({
  token: z.string(),
  verification_required: z.boolean().optional(),
  mfa_required: z.boolean().optional(),
});
type Login = z.output<typeof issued>;

const customerBody = z.object({
  customer: z.object({
    id: z.string(),
    email: z.string(),
    first_name: z.string().nullable(),
    last_name: z.string().nullable(),
  }),
});

/** Times are in epoch seconds. `actor_id` is the ID of the customer; empty if there is none. */
const claims = z.object({ actor_id: z.string(), iat: z.number(), exp: z.number() });

/** The claims of a token for a new password. `entity_id` is the email address of the login. */
const resetClaims = z.object({ entity_id: z.string() });

const jwtPattern = /^[\w-]+\.[\w-]+\.[\w-]+$/;

function readClaims(token: string): z.output<typeof claims> {
  return claims.parse(readJwt(token));
}

function readJwt(token: string): unknown {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

function toUser({ customer }: z.output<typeof customerBody>): ShopUser {
  const { id, email, first_name: firstName, last_name: lastName } = customer;
  return { id, email, ...(firstName && { firstName }), ...(lastName && { lastName }) };
}
