import * as z from "zod";
import type { ShopUser } from "../server/index.ts";
import { toResult, toSelection } from "./vendure-selection.ts";

export const customer = z.object({
  id: z.string(),
  emailAddress: z.string(),
  firstName: z.string(),
  lastName: z.string(),
  user: z.object({ verified: z.boolean() }),
});

export const currentUser = z.object({ identifier: z.string() });
export const success = z.object({ success: z.literal(true) });
/** The selection of an operation that only succeeds. */
export const done = toResult("Success", success);

export const activeCustomer = {
  query: `{ r: activeCustomer ${toSelection(customer)} }`,
  result: customer.nullable(),
};

/** Ends all sessions of the customer. */
export const logout = {
  query: "mutation { r: logout { success } }",
  result: z.object({ success: z.boolean() }),
};

export function toUser(found: z.output<typeof customer>): ShopUser {
  const { id, emailAddress: email, firstName, lastName, user } = found;
  return { id, email, emailVerified: user.verified, firstName, lastName };
}
