import { expect, test } from "vitest";
import type { CommerceBackend } from "../../../rpc/commerce/commerce-backend.ts";
import { RpcError } from "../../../rpc/error.ts";
import { describeStorages } from "../../_setup.ts";
import { createCountingSystem, type TestGrant } from "../../fixtures/grant-calls.ts";
import { as, trustingAuth } from "../../fixtures/trusting-auth.ts";

/** A commerce system that rejects the grants of logins, and issues new ones if it can renew them. */
function createBackend({ canRenew }: { readonly canRenew: boolean }) {
  const { grants } = createCountingSystem();
  const changedBy: (string | undefined)[] = [];
  const backend: CommerceBackend<TestGrant> = {
    name: "test",
    grants: { ...grants, renew: async () => (canRenew ? { token: "renewed" } : undefined) },
    accounts: {
      ...trustingAuth,
      async login(credentials, visit) {
        visit.setGrant({ token: "rejected" });
        return trustingAuth.login(credentials, visit);
      },
      async changePassword(_, { grant }) {
        changedBy.push(grant?.token);
        if (grant?.token !== "renewed") throw new RpcError("session_ended");
        return true;
      },
    },
  };
  return { backend, changedBy };
}

const passwords = { oldPassword: "correct horse", newPassword: "battery staple" };

describeStorages("a change of an account", ({ start }) => {
  test("runs again with a renewed grant if the system rejects the grant", async () => {
    const { backend, changedBy } = createBackend({ canRenew: true });
    const { client } = await start({ commerce: backend });
    const user = client();
    await user.call("login", as(7));
    expect((await user.call("updatePassword", passwords)).status).toBe(200);
    expect(changedBy).toEqual(["rejected", "renewed"]);
    expect((await user.call("updatePassword", passwords)).status).toBe(200);
    expect(changedBy).toEqual(["rejected", "renewed", "renewed"]);
  });

  test("ends the session if the system has ended the login", async () => {
    const { backend } = createBackend({ canRenew: false });
    const { client } = await start({ commerce: backend });
    const user = client();
    await user.call("login", as(7));
    const { status, body } = await user.call("updatePassword", passwords);
    expect([status, body.code]).toEqual([409, "session_ended"]);
    expect((await user.call("getUser")).body.user).toBeUndefined();
  });
});
