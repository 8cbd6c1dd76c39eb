import type { Environment } from "../server/config/environment.ts";

/** A config with one finding, and a config that differs only in the cause. */
export interface FindingCase {
  readonly bad: object;
  readonly good: object;
  readonly path: string;
  /** The default is production with one process. */
  readonly environment?: Environment;
}

const shop = { shopId: 1001, locale: "de-DE", currency: "EUR" };
const second = { shopId: 1002, locale: "en-US", currency: "USD" };
const accounts = { login() {}, register() {}, changePassword() {} };
const joining = { joinsAtLogin: true, read() {}, set() {} };

/** Cases of findings about the shops and their accounts. */
export const shopFindings: Readonly<Record<string, FindingCase>> = {
  SF002: {
    bad: { shops: [shop, { ...second, shopId: 1001 }] },
    good: { shops: [shop, second] },
    path: "shops[1].shopId",
  },
  SF003: {
    bad: { shops: [shop, second].map((each) => ({ ...each, path: "de" })) },
    good: {
      shops: [
        { ...shop, path: "de" },
        { ...second, path: "us" },
      ],
    },
    path: "shops[1].path",
  },
  SF004: {
    bad: { shops: [shop, second].map((each) => ({ ...each, isDefault: true })) },
    good: { shops: [{ ...shop, isDefault: true }, second] },
    path: "shops[1].isDefault",
  },
  SF005: {
    bad: { shopSelector: "domain" },
    good: { shopSelector: "domain", shops: [{ ...shop, host: "shop.example" }] },
    path: "shops[0].host",
  },
  SF006: {
    bad: { shops: [{ ...shop, path: "api" }] },
    good: { shops: [{ ...shop, path: "de" }] },
    path: "shops[0].path",
  },
  SF007: {
    bad: { auth: accounts, commerce: { name: "a", accounts } },
    good: { auth: accounts, commerce: { name: "a" } },
    path: "auth",
  },
  SF008: {
    bad: { auth: accounts, mailer() {} },
    good: { auth: accounts },
    path: "mailer",
  },
  SF009: {
    bad: { commerce: { name: "a", baskets: joining }, basket: { mergeStrategy: "useGuest" } },
    good: { commerce: { name: "a", baskets: joining } },
    path: "basket.mergeStrategy",
  },
};
