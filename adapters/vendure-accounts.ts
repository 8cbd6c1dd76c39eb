import * as z from "zod";
import { RpcError, type Auth, type Credentials, type LoginVisit } from "../server/index.ts";
import {
  activeCustomer,
  currentUser,
  customer,
  done,
  success,
  toUser,
} from "./vendure-customer.ts";
import {
  failed,
  type VendureGrant,
  type VendureRequest,
  type VendureVisit,
} from "./vendure-request.ts";
import { createVendureRecovery } from "./vendure-recovery.ts";
import { toResult, toSelection } from "./vendure-selection.ts";

/** Accounts of Vendure's customers, with its native authentication. */
export function createVendureAccounts(api: VendureRequest): Auth<VendureGrant> {
  const { send, request } = api;
  return {
    ...createVendureRecovery(api),

    login,

    async register({ email, password, firstName = "", lastName = "" }, visit) {
      // A repeat after a login whose response was lost: Vendure has joined and ended the guest's session.
      await send(
        visit,
        {
          query: `mutation($input: RegisterCustomerInput!) { r: registerCustomerAccount(input: $input) ${done} }`,
          variables: { input: { emailAddress: email, password, firstName, lastName } },
          result: success,
        },
        visit.grant?.token,
      );
      const user = await login({ email, password }, visit);
      // For a known address, Vendure reports a success and changes nothing.
      if (user === undefined) throw new RpcError("email_taken");
      return user;
    },

    verifyPassword: ({ password }, visit) => isPassword(password, visit),

    async changePassword({ oldPassword, newPassword }, visit) {
      const changed = await request(visit, {
        query: `mutation($old: String!, $new: String!) { r: updateCustomerPassword(currentPassword: $old, newPassword: $new) ${done} }`,
        variables: { old: oldPassword, new: newPassword },
        result: z.union([success, invalidCredentials]),
      });
      // A repeat after a change whose response was lost: the new password is set already.
      return !("errorCode" in changed) || isPassword(newPassword, visit);
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

  async function isPassword(password: string, visit: VendureVisit): Promise<boolean> {
    const me = { query: "{ r: me { identifier } }", result: currentUser };
    const { identifier } = await request(visit, me);
    // A login would begin a session that can't be ended alone. Before a change of the address, Vendure checks the
    // password, and then finds that the new address is taken: by the customer.
    const checked = await request(visit, {
      query: `mutation($password: String!, $email: String!) { r: requestUpdateCustomerEmailAddress(password: $password, newEmailAddress: $email) ${done} }`,
      variables: { password, email: identifier },
      result: z.union([success, ownAddress, invalidCredentials]),
    });
    return !("errorCode" in checked) || checked.errorCode === "EMAIL_ADDRESS_CONFLICT_ERROR";
  }

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
    const found = await send(visit, activeCustomer, issued);
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

const loggedIn = toResult("CurrentUser", currentUser);
const invalidCredentials = z.object({ errorCode: z.literal("INVALID_CREDENTIALS_ERROR") });
/** The address is the customer's own, and the password is right. */
const ownAddress = z.object({ errorCode: z.literal("EMAIL_ADDRESS_CONFLICT_ERROR") });
