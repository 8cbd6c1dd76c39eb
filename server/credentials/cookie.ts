import { parseCookie, serializeCookie, type CookieSerializeOptions } from "cookie-es";
import type { Clock } from "../../storage/clock.ts";
import type { SessionRecord } from "../../storage/sessions/session-record.ts";
import type { SessionOptions } from "../config/options.ts";
import { createVerifier, Signer } from "./signature.ts";
import type { SessionTransport, VerifiedId } from "./transport.ts";

/**
 * The session cookie of one shop: `s:<id>.<signature>`, as express and @scayle/h3-session write it.
 * Always `HttpOnly`: scripts never need the cookie.
 */
export function createCookieTransport(options: SessionOptions, clock: Clock): SessionTransport {
  const { cookieName } = options;
  const signer = new Signer(options.secrets);
  const { known, verify } = createVerifier(signer, "", (raw) => {
    const [, id = "", signature = ""] = cookieValue.exec(decodeCookie(raw)) ?? [];
    return [id, signature];
  });

  /** Browsers send older cookies first (RFC 6265, 5.4), so the last ones count. */
  function verifyAll(header: string): readonly VerifiedId[] {
    const ids = [...new Set(parseValues(header, cookieName))].flatMap(verify);
    return [...new Map(ids.map((id) => [id.id, id])).values()].slice(-maxIds);
  }

  return {
    name: "cookie",
    isAmbient: true,
    credentialHeaders: { request: "cookie", response: "set-cookie" },
    openApi: {
      scheme: {
        type: "apiKey",
        in: "cookie",
        name: cookieName,
        description: "The session cookie. Browsers send it by themselves; scripts can't read it.",
      },
      issued: `The cookie ${cookieName}, if the session began, changed, or ended.`,
    },
    read(headers) {
      const header = headers.get("cookie");
      return header?.includes(cookieName) ? header : undefined;
    },
    verify(header) {
      const raw = findOnlyValue(header, cookieName);
      return (raw === undefined ? undefined : known.get(raw)) ?? verifyAll(header);
    },
    issue(record, isSecure) {
      const value = `s:${record.id}.${signer.sign(record.id)}`;
      const maxAge = record.transient ? undefined : toMaxAge(record, options, clock.now());
      return ["set-cookie", serialize(value, options, isSecure, maxAge)];
    },
    /** Several cookies of this name come from other settings: deletes each of them. */
    clear(header, isSecure) {
      const isOne = parseValues(header, cookieName).length < 2;
      const shapes = isOne ? [options] : listShapes(options.domain);
      return shapes.map((shape) => ["set-cookie", serialize("", options, isSecure, 0, shape)]);
    },
    isIssued: (name, value) =>
      name === "set-cookie" && value.split(/[;=]/, 1)[0]?.trim() === cookieName,
    sendBack(headers, line) {
      const [cookie = ""] = line.split(";", 1);
      const others = (headers.get("cookie") ?? "").split(/; */).filter((one) => {
        return one !== "" && !one.startsWith(`${cookieName}=`);
      });
      const cookies = isCleared(line) ? others : [...others, cookie];
      if (cookies.length === 0) headers.delete("cookie");
      else headers.set("cookie", cookies.join("; "));
    },
    findSecrets(headers) {
      return parseValues(headers.get("cookie") ?? "", cookieName).flatMap((raw) => {
        const value = decodeCookie(raw);
        return cookieValue.test(value) ? [raw, value] : [];
      });
    },
  };
}

// --- Internal helpers ---

/** The most IDs of one request that are looked up. */
const maxIds = 8;

/** A user ID can contain any character, dots too. The signature is the last 43. */
export const cookieValue = /^s:(.+)\.([A-Za-z0-9+/]{43})$/s;

/**
 * Finds the value of the only cookie of a name without parsing the others, which change more often.
 * @returns `undefined` for any other header; `; ` is the only separator that a cookie's value can't contain
 */
function findOnlyValue(header: string, name: string): string | undefined {
  const at = header.indexOf(name);
  const start = at + name.length;
  if (header[start] !== "=" || header.includes(name, start)) return undefined;
  if (at !== 0 && !header.startsWith("; ", at - 2)) return undefined;
  const end = header.indexOf(";", start);
  return end === -1 ? header.slice(start + 1) : header.slice(start + 1, end);
}

/** The undecoded values of a name's cookies. There can be several, for example of old paths and domains. */
function parseValues(header: string, name: string): readonly string[] {
  const cookies = parseCookie(header, {
    allowMultiple: true,
    filter: (found) => found === name,
    decode: (value) => value,
  });
  return [cookies[name] ?? []].flat();
}

/** Decodes a cookie's value. @returns a value with an invalid `%` as it is */
export function decodeCookie(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function isCleared(cookie: string): boolean {
  return /; *max-age=0(?:;|$)/i.test(cookie);
}

/** Seconds; a cookie doesn't outlive its session. */
function toMaxAge(
  { createdAt, user }: SessionRecord,
  options: SessionOptions,
  now: number,
): number {
  const { absoluteTimeout, guestAbsoluteTimeout = Infinity, maxAge } = options;
  const longest = user === undefined ? guestAbsoluteTimeout : absoluteTimeout;
  return Math.min(maxAge, Math.ceil(longest - (now - createdAt) / 1000));
}

/** The forms in which a cookie can be set: for this host or for a domain, partitioned or not. */
function listShapes(domain: string | undefined) {
  return [...new Set([undefined, domain])].flatMap((each) =>
    [false, true].map((partitioned) => ({ domain: each, partitioned })),
  );
}

function serialize(
  value: string,
  options: SessionOptions,
  isSecure: boolean,
  maxAge: number | undefined,
  { domain, partitioned }: Pick<SessionOptions, "domain" | "partitioned"> = options,
): string {
  const { cookieName, sameSite, secure } = options;
  // Browsers drop these without `Secure`; over plain HTTP they still accept it from localhost.
  const needsSecure =
    sameSite === "none" || options.partitioned || /^__(?:Host|Secure)-/i.test(cookieName);
  const isSecured = secure === "auto" ? isSecure || needsSecure : secure;
  const attributes: CookieSerializeOptions = {
    path: "/",
    httpOnly: true,
    sameSite,
    // Browsers ignore a partitioned cookie without it.
    secure: isSecured || partitioned,
    ...(maxAge !== undefined && { maxAge }),
    ...(domain !== undefined && { domain }),
    ...(partitioned && { partitioned }),
  };
  return serializeCookie(cookieName, value, attributes);
}
