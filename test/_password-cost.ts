import { vi } from "vitest";

// A hash takes a fifth of a second by intent, and the tests create thousands.
vi.mock("../rpc/accounts/password-cost.ts", () => ({ passwordCost: { ln: 8, r: 8, p: 1 } }));
