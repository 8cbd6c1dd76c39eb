import { expect, test } from "vitest";
import * as z from "zod";
import { defineRpcMethod } from "../../../rpc/define-method.ts";
import { describeStorages, type Setup } from "../../_setup.ts";

const ada = { id: "ada", email: "ada@example.com" };

const methods = {
  enter: defineRpcMethod({
    signsIn: true,
    input: z.object({ label: z.optional(z.string()), userId: z.optional(z.string()) }),
    async handler({ label, userId = ada.id }, { createUserBoundSession }) {
      await createUserBoundSession({ ...ada, id: userId }, { label });
    },
  }),
  rotate: defineRpcMethod({ handler: (_, { sessions }) => sessions.rotate() }),
  endLabeled: defineRpcMethod({
    input: z.object({ userId: z.string(), label: z.string() }),
    handler: ({ userId, label }, { sessions }) => sessions.endLabeled(userId, label),
  }),
};

/** Logs in on two devices, of which the provider knows each by its own `sid`. */
async function prepare({ start }: Setup) {
  const opened = await start({ methods });
  const [laptop, phone] = [opened.client(), opened.client(1002)];
  expect((await laptop.call("enter", { label: "sid-laptop" })).status).toBe(204);
  expect((await phone.call("enter", { label: "sid-phone" })).status).toBe(204);
  const isIn = async (device: typeof phone) =>
    (await device.call("getUser")).body.user !== undefined;
  const end = async (label: string, userId = ada.id) =>
    (await opened.client().call("endLabeled", { userId, label })).body;
  return { ...opened, laptop, phone, isIn, end };
}

describeStorages("a session with a label", (setup) => {
  test("ends by its label, in each shop of the realm, and the user's others stay", async () => {
    const { laptop, phone, isIn, end } = await prepare(setup);
    expect(await end("sid-phone")).toBe(1);
    expect(await isIn(phone)).toBe(false);
    expect(await isIn(laptop)).toBe(true);
    expect(await end("sid-phone")).toBe(0);
  });

  test("keeps its label under a new ID", async () => {
    const { laptop, isIn, end } = await prepare(setup);
    await laptop.call("rotate");
    expect(await end("sid-laptop")).toBe(1);
    expect(await isIn(laptop)).toBe(false);
  });

  test("loses its label at another login without one", async () => {
    const { laptop, isIn, end } = await prepare(setup);
    await laptop.call("enter", {});
    expect(await end("sid-laptop")).toBe(0);
    expect(await isIn(laptop)).toBe(true);
  });

  test("ends with all sessions of the same label and user, and with no others", async () => {
    const { laptop, client, isIn, end } = await prepare(setup);
    const [tablet, eve] = [client(), client()];
    await tablet.call("enter", { label: "sid-laptop" });
    await eve.call("enter", { label: "sid-laptop", userId: "eve" });
    expect(await end("sid-laptop")).toBe(2);
    expect([await isIn(laptop), await isIn(tablet), await isIn(eve)]).toEqual([false, false, true]);
  });

  test("doesn't show its label in the user's list", async () => {
    const { laptop } = await prepare(setup);
    const { sessions } = (await laptop.call("listSessions")).body;
    expect(sessions).toHaveLength(2);
    expect(JSON.stringify(sessions)).not.toContain("sid-");
  });

  test("doesn't begin with a label that is empty or too long", async () => {
    setup.allowErrors();
    const { client, lines } = await prepare(setup);
    for (const label of ["", "x".repeat(257)]) {
      expect((await client().call("enter", { label })).status).toBe(500);
      expect(JSON.stringify(lines)).toContain("a string of 1 to 256 characters");
    }
  });
});
