import { describe, expect, test } from "vitest";
import { checkConfig } from "../../../server/config/check.ts";
import { diagnose } from "../../../server/config/doctor.ts";
import { guessedDomainRules, loadDomainRules } from "../../../server/config/hosts.ts";
import { sound } from "../../_findings.ts";
import { testSecret } from "../../_setup.ts";

const [shop] = sound.shops;
const listed = await loadDomainRules();

/** The codes of the diagnostics that depend on public suffixes. */
function codesOf(config: object, domains = listed): string[] {
  const { diagnostics } = checkConfig({ ...sound, ...config }, { production: true }, domains);
  return diagnostics.map(({ code }) => code).filter((code) => /^SF(?:20[4568]|405)$/.test(code));
}

function atHost(host: string, session = {}): object {
  return { shops: [{ ...shop, host, session }] };
}

describe("with the public suffix list, a check", () => {
  test.each(["github.io", "vercel.app", "gv.at", "co.uk", "com"])(
    "reports session.domain %s, where anyone can register a name",
    (domain) => {
      expect(codesOf(atHost(`a.${domain}`, { domain }))).toEqual(["SF205"]);
      expect(codesOf(atHost(`www.a.${domain}`, { domain: `a.${domain}` }))).toEqual([]);
    },
  );

  test.each(["github.io", "vercel.app", "gv.at"])("reports the host *.%s", (domain) => {
    expect(codesOf(atHost(`*.${domain}`))).toEqual(["SF405"]);
    expect(codesOf(atHost(`*.a.${domain}`))).toEqual([]);
  });

  test("takes two names below github.io for two sites, whose pages get no cookie", () => {
    const cors = { origin: ["https://b.github.io"] };
    expect(codesOf({ ...atHost("a.github.io"), cors })).toEqual(["SF208"]);
    const own = { origin: ["https://app.a.github.io"] };
    expect(codesOf({ ...atHost("a.github.io"), cors: own })).toEqual([]);
  });

  test("takes an IP address and localhost for sites of their own", () => {
    expect(listed.toSite("192.0.2.1")).toBe("192.0.2.1");
    expect(listed.toSite("localhost")).toBe("localhost");
    expect(listed.toSite("www.shop.example")).toBe("shop.example");
  });
});

test("without the list, as at the start, a check misses github.io and finds co.uk", () => {
  expect(codesOf(atHost("a.github.io", { domain: "github.io" }), guessedDomainRules)).toEqual([]);
  expect(codesOf(atHost("a.co.uk", { domain: "co.uk" }), guessedDomainRules)).toEqual(["SF205"]);
});

test("storefront doctor uses the list", async () => {
  const config = {
    ...atHost("a.github.io", { domain: "github.io" }),
    session: { secret: testSecret },
    storage: { session: { driver: "memory" } },
  };
  const codes = (await diagnose(config)).map(({ code }) => code);
  expect(codes).toContain("SF205");
});
