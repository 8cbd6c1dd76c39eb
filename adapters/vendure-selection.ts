import * as z from "zod";

/** The selection of an operation whose result is of a type, or an error result. */
export function toResult(type: string, shape: z.ZodType): string {
  return `{ __typename ... on ${type} ${toSelection(shape)} ... on ErrorResult { errorCode message } }`;
}

/** The selection of GraphQL that has the fields of a shape; empty for a scalar. */
export function toSelection(shape: unknown): string {
  if (shape instanceof z.ZodNullable) return toSelection(shape.unwrap());
  if (shape instanceof z.ZodArray) return toSelection(shape.element);
  if (!(shape instanceof z.ZodObject)) return "";
  const fields = Object.entries(shape.shape).map(([name, field]) => name + toSelection(field));
  return `{ ${fields.join(" ")} }`;
}
