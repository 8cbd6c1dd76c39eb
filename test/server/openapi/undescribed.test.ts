import { expect, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { diagnose } from "../../../server/config/doctor.ts";
import { sound } from "../../_findings.ts";

const handler = () => ({ done: true });

test("the doctor names each method whose payload the document can't describe", async () => {
  const storage = { session: { driver: "memory" }, singleProcess: true };
  const methods = {
    book: defineRpcMethod({
      input: z.object({ stays: z.array(z.object({ at: z.date() })) }),
      handler,
    }),
    count: defineRpcMethod({ input: z.bigint(), handler }),
    greet: defineRpcMethod({ input: z.object({ name: z.string() }), handler }),
    pick: defineRpcMethod({ input: z.custom<string>().meta({ type: "string" }), handler }),
    wave: defineRpcMethod({ handler }),
  };
  const findings = await diagnose({ ...sound, storage, methods });
  const found = findings.filter(({ code }) => code === "SF707");
  expect(found.map(({ severity, path, found: part }) => [severity, path, part])).toEqual([
    ["notice", "methods.book.input", "the part stays.at"],
    ["notice", "methods.count.input", "the whole payload"],
  ]);
});
