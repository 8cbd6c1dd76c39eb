import * as z from "zod";
import { RpcError, type Auth, type Credentials, type LoginVisit } from "../server/index.ts";
import {
  failed,
  type Operation,
  type VendureGrant,
  type VendureRequest,
} from "./vendure-request.ts";
import { toResult, toSelection } from "./vendure-selection.ts";

/** Accounts of Vendure's customers, with its native authentication. */
export function createVendureAccounts({ send, request }: VendureRequest): Auth<VendureGrant> {
  return {
    login,

    async register({ email, password, firstName = "", lastName = "" }, visit) {
      // A repeat after a login whose response was lost: Vendure has joined and ended the guest's session.
      await send(
        visit,
        registration({ emailAddress: email, password, firstName, lastName }),
        visit.grant?.token,
      );
      const user = await login({ email, password }, visit);
      // For a known address, Vendure reports a success and changes nothing.
      if (user === undefined) throw new RpcError("email_taken");
      return user;
    },

    async changePassword({ oldPassword, newPassword }, visit) {
      const changed = await request(visit, {
        query: `mutation($old: String!, $new: String!) { r: updateCustomerPassword(currentPassword: $old, newPassword: $new) ${done} }`,
        variables: { old: oldPassword, new: newPassword },
        result: z.union([success, invalidCredentials]),
      });
      return !("errorCode" in changed);
    },

    async updateUser({ profile: { firstName, lastName } }, visit) {
      const changed = await request(visit, {
        query: `mutation($input: UpdateCustomerInput!) { r: updateCustomer(input: $input) ${toSelection(customer)} }`,
        variables: { input: { firstName, lastName } },
        result: customer,
      });
      return toUser(changed);
    },
  };

  /** Logs in with the guest's token, so that Vendure joins the guest's order into the customer's. */
  async function login({ email, password }: Credentials, visit: LoginVisit<VendureGrant>) {
    const { result, issued } = await send(
      visit,
      {
        query: `mutation($email: String!, $password: String!) { r: login(username: $email, password: $password, rememberMe: true) ${loggedIn} }`,
        variables: { email, password },
        result: z.union([currentUser, invalidCredentials]),
      },
      visit.grant?.token,
    );
    if ("errorCode" in result) return undefined;
    if (!issued) throw failed(withoutToken);
    const found = await send(
      visit,
      { query: `{ r: activeCustomer ${toSelection(customer)} }`, result: customer.nullable() },
      issued,
    );
    // An administrator has a login, and no customer.
    if (found.result === null) return undefined;
    visit.setGrant({ token: issued });
    return toUser(found.result);
  }
}

/** The reason for a missing token, for the log. */
export const withoutToken =
  'no token: its config must have "bearer" in authOptions.tokenMethod, and the default authTokenHeaderKey';

// --- Internal helpers ---

const success = z.object({ success: z.literal(true) });
const done = toResult("Success", success);
function registration(input: Readonly<Record<string, string>>): Operation<unknown> {
  return {
    query: `mutation($input: RegisterCustomerInput!) { r: registerCustomerAccount(input: $input) ${done} }`,
    variables: { input },
    result: success,
  };
}

const currentUser = z.object({ identifier: z.string() });
const loggedIn = toResult("CurrentUser", currentUser);
const invalidCredentials = z.object({ errorCode: z.literal("INVALID_CREDENTIALS_ERROR") });
const customer = z.object({
  id: z.string(),
  emailAddress: z.string(),
  firstName: z.string(),
  lastName: z.string(),
});

function toUser({ id, emailAddress: email, firstName, lastName }: z.output<typeof customer>) {
  return { id, email, firstName, lastName };
}
