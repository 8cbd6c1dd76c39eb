import { messageOf } from "../../shared/log.ts";
import { createLog } from "../console-log.ts";
import { describeFinding } from "../config/doctor.ts";
import { topKeys } from "../config/keys/top-keys.ts";
import { hasConfig, loadStorefrontConfig } from "../config/load.ts";
import { StartError } from "../config/start-error.ts";
import { resolveConfig } from "../config/resolve.ts";
import type { Inspection } from "../inspect.ts";
import { print, printAndExit, printError } from "./output.ts";
import { judgeOutside } from "./outside-findings.ts";
import { viewFromOutside } from "./outside-view.ts";
import {
  createFinding,
  findingsWithToken,
  forgedAddress,
  judgeInside,
  refinedWithToken,
  serviceFindings,
  type ServiceFinding,
} from "./service-findings.ts";
import { parseBody, sendToService } from "./service-request.ts";

/**
 * Checks a running service through its proxies, prints the findings, and ends the process: with code 0 if there is no
 * error, 1 if there are errors, and 2 if the check itself can't run.
 */
export async function diagnoseService(
  address: string,
  file: string | undefined,
  isJson = false,
): Promise<void> {
  try {
    const url = toUrl(address);
    const settings = await readSettings(file);
    const findings = await examine(url, settings);
    const unchecked = settings.token === undefined ? findingsWithToken : [];
    const text = isJson
      ? `${JSON.stringify({ url: url.origin, findings, unchecked })}\n`
      : describe(url, findings, unchecked);
    printAndExit(text, findings.some(({ severity }) => severity === "error") ? 1 : 0);
  } catch (error) {
    printError(error);
    print(process.stderr, "", () => process.exit(2));
  }
}

// --- Internal helpers ---

/** Several calls on new connections reach several servers behind a load balancer. */
const attempts = 8;

function toUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url;
  throw new StartError(
    "SF907",
    `--url: found ${JSON.stringify(text)}, expected https://shop.example`,
  );
}

/** The service's settings that the config in this folder names; the defaults without a config. */
interface Settings {
  readonly basePath: string;
  readonly hasPublicUrl: boolean;
  /** The last of the admin tokens. */
  readonly token: string | undefined;
  readonly shopId: number | undefined;
  /**
   * Whether the doctor may begin a guest's session to see its cookie: not if a shop has bearer tokens only, or a commerce
   * system, which would get a wishlist.
   */
  readonly createsGuest: boolean;
}

async function readSettings(file: string | undefined): Promise<Settings> {
  const folder = process.cwd();
  if (file === undefined && !hasConfig(folder)) {
    return {
      basePath: topKeys.basePath.default,
      hasPublicUrl: false,
      token: undefined,
      shopId: undefined,
      createsGuest: true,
    };
  }
  const { config } = await loadStorefrontConfig(folder, file);
  const { basePath, publicUrl, adminTokens, shops } = resolveConfig(
    config,
    { production: false, isOneOfSeveral: false },
    createLog(),
  );
  return {
    basePath,
    hasPublicUrl: publicUrl !== undefined,
    token: adminTokens.at(-1),
    shopId: shops[0]?.shopId,
    createsGuest: shops.every(
      ({ commerce, session }) => commerce === undefined && session.tokenMethods.includes("cookie"),
    ),
  };
}

async function examine(url: URL, settings: Settings): Promise<readonly ServiceFinding[]> {
  try {
    const { status } = await sendToService(new URL("/readyz", url));
    // A proxy can keep health checks private, so another status than 5xx doesn't matter.
    if (status >= 500) return [createFinding("SF801", String(status))];
  } catch (error) {
    return [createFinding("SF801", messageOf(error))];
  }
  const { token, createsGuest } = settings;
  if (token === undefined) {
    return judgeOutside(url, await viewFromOutside({ url, ...settings }, attempts, createsGuest));
  }
  const outside = judgeOutside(url, await viewFromOutside({ url, ...settings }, 0, false));
  const inside = await inspect(url, token, settings);
  return [...inside, ...outside.filter(({ code }) => !refinedWithToken.has(code))];
}

/** Lets the servers of the service inspect themselves. */
async function inspect(
  url: URL,
  token: string,
  { basePath, hasPublicUrl }: Settings,
): Promise<readonly ServiceFinding[]> {
  const findings = new Map<string, ServiceFinding>();
  for (let attempt = 0; attempt < attempts; attempt++) {
    const start = Date.now();
    const { status, cookies, body } = await sendToService(
      new URL(`${basePath}/admin/inspect`, url),
      {
        method: "POST",
        headers: {
          authorization: `Bearer ${token}`,
          "content-type": "application/json",
          "x-forwarded-for": forgedAddress,
        },
        body: "{}",
      },
    );
    const roundTrip = Date.now() - start;
    const inspection = status === 200 ? (parseBody(body) as Inspection | undefined) : undefined;
    if (inspection === undefined) {
      return [createFinding("SF802", status === 200 ? "a body that isn't JSON" : String(status))];
    }
    const skew = inspection.time - (start + roundTrip / 2);
    const view = { inspection, cookies, skew, roundTrip };
    for (const finding of judgeInside(url, view, hasPublicUrl)) {
      findings.set(`${finding.code} ${finding.found}`, finding);
    }
  }
  return [...findings.values()];
}

function describe(
  url: URL,
  findings: readonly ServiceFinding[],
  unchecked: readonly ServiceFinding["code"][],
): string {
  const paragraphs = findings.map((each) =>
    describeFinding(each, serviceFindings[each.code].about),
  );
  const count = `${findings.length} finding${findings.length === 1 ? "" : "s"}`;
  const rest = unchecked.length === 0 ? "" : `\n${describeUnchecked(unchecked)}\n`;
  const heading = `${url.origin}, as it responds now; docs/doctor.md explains each code`;
  return `${heading}\n\n${paragraphs.join("")}${count}\n${rest}`;
}

function describeUnchecked(codes: readonly ServiceFinding["code"][]): string {
  return [
    "Not checked without the admin token:",
    ...codes.map((code) => `  ${code} ${serviceFindings[code].about}`),
    "To check them, run the doctor in the folder of the service's config, or with --config. The config needs the",
    "service's admin.token, for example from a variable of the environment or of .env. The command has no option for it,",
    "because every user of this machine can read the arguments of a process.",
  ].join("\n");
}
