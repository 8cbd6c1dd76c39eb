import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { messageOf } from "../../shared/log.ts";
import { createLog } from "../console-log.ts";
import type { StorefrontConfig } from "../config/config.ts";
import { loadStorefrontConfig } from "../config/load.ts";
import { StartError } from "../config/start-error.ts";
import { resolveConfig } from "../config/resolve.ts";
import type { Inspection } from "../inspect.ts";
import { print, printAndExit, printError } from "./output.ts";
import {
  createFinding,
  forgedAddress,
  judge,
  serviceFindings,
  type ServiceFinding,
} from "./service-findings.ts";

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
    const { config } = await loadStorefrontConfig(process.cwd(), file);
    const findings = await examine(url, config as StorefrontConfig);
    const text = isJson
      ? `${JSON.stringify({ url: url.origin, findings })}\n`
      : describe(url, findings);
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

async function examine(url: URL, config: StorefrontConfig): Promise<readonly ServiceFinding[]> {
  const options = resolveConfig(config, { production: false, isOneOfSeveral: false }, createLog());
  const { basePath, publicUrl } = options;
  const token = options.adminTokens.at(-1);
  if (token === undefined)
    throw new StartError("SF907", "--url needs the admin.token of the service's config");
  try {
    const { status } = await send(new URL("/readyz", url), "GET", {});
    // A proxy can keep health checks private, so another status than 5xx doesn't matter.
    if (status >= 500) return [createFinding("SF801", String(status))];
  } catch (error) {
    return [createFinding("SF801", messageOf(error))];
  }
  const findings = new Map<string, ServiceFinding>();
  for (let attempt = 0; attempt < attempts; attempt++) {
    const start = Date.now();
    const { status, cookies, body } = await send(
      new URL(`${basePath}/admin/inspect`, url),
      "POST",
      {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "x-forwarded-for": forgedAddress,
      },
    );
    const roundTrip = Date.now() - start;
    const inspection = status === 200 ? parse(body) : undefined;
    if (inspection === undefined) {
      return [createFinding("SF802", status === 200 ? "a body that isn't JSON" : String(status))];
    }
    const skew = inspection.time - (start + roundTrip / 2);
    const observation = { inspection, cookies, skew, roundTrip };
    for (const finding of judge(url, observation, publicUrl !== undefined)) {
      findings.set(`${finding.code} ${finding.found}`, finding);
    }
  }
  return [...findings.values()];
}

/** @returns `undefined` if another program has responded, for example a proxy with a page */
function parse(body: string): Inspection | undefined {
  try {
    return JSON.parse(body) as Inspection;
  } catch {
    return undefined;
  }
}

/** Sends a request on a connection of its own. */
function send(url: URL, method: string, headers: Readonly<Record<string, string>>) {
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise<{ status: number; cookies: readonly string[]; body: string }>(
    (resolve, reject) => {
      const sent = request(url, { method, headers, agent: false, timeout: 10_000 }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        response.on("error", reject).on("end", () => {
          const { statusCode = 0, headers: received } = response;
          resolve({ status: statusCode, cookies: received["set-cookie"] ?? [], body });
        });
      });
      sent.on("timeout", () => sent.destroy(new Error("no response within 10 seconds")));
      sent.on("error", reject).end(method === "POST" ? "{}" : undefined);
    },
  );
}

function describe(url: URL, findings: readonly ServiceFinding[]): string {
  const paragraphs = findings.map(({ code, severity, found, expected }) =>
    [
      `${code} ${severity}`,
      `  found ${found}, expected ${expected}`,
      `  ${serviceFindings[code].about}\n\n`,
    ].join("\n"),
  );
  const count = `${findings.length} finding${findings.length === 1 ? "" : "s"}`;
  return `${url.origin}, as it responds now\n\n${paragraphs.join("")}${count}\n`;
}
