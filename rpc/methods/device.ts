import { parse } from "bowser";

/** What a user agent says of the device; what it does not say is left out. */
export interface Device {
  /** As `Firefox`. */
  readonly browser?: string | undefined;
  /** As `Android`. */
  readonly os?: string | undefined;
  /** As `mobile`, `tablet` or `desktop`. */
  readonly type?: string | undefined;
}

/** Reads a user agent, for people who want to recognise their own. It is the client's word, nothing more. */
export function describeDevice(userAgent: string | undefined): Device {
  if (!userAgent) return {};
  const { browser, os, platform } = parse(userAgent);
  return { browser: browser.name, os: os.name, type: platform.type };
}
