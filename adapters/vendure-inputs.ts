import * as z from "zod";

/*
 * The inputs of the checkout.
 */

const id = z.union([z.int().positive(), z.string().min(1).max(64)]);
const code = z.string().min(1).max(64);
const text = z.string().trim().max(255);
const name = text.min(1);

export const idInput = z.strictObject({ id });
export const codeInput = z.strictObject({ code });

export const customerInput = z.strictObject({
  email: z.email().max(255),
  firstName: name,
  lastName: name,
  phoneNumber: text.optional(),
});

export const addressInput = z.strictObject({
  fullName: name,
  company: text.optional(),
  streetLine1: name,
  streetLine2: text.optional(),
  postalCode: text.optional(),
  city: text.optional(),
  province: text.optional(),
  countryCode: z.string().length(2),
  phoneNumber: text.optional(),
});

export const paymentInput = z.strictObject({
  method: code,
  metadata: z.record(z.string(), z.unknown()).optional(),
  orderCode: code.optional(),
});

export const pageInput = z
  .strictObject({ skip: z.int().min(0).optional(), take: z.int().min(1).max(100).optional() })
  .optional();
