import { parse } from "bowser";

/** The device that a user agent names. */
export interface Device {
  /** For example `Firefox`. */
  readonly browser?: string | undefined;
  /** For example `Android`. */
  readonly os?: string | undefined;
  /** For example `mobile`, `tablet`, or `desktop`. */
  readonly type?: string | undefined;
}

/** Describes the device of a user agent, so that users recognize their own. Any client can send any user agent. */
export function describeDevice(userAgent: string | undefined): Device {
  if (!userAgent) return {};
  const { browser, os, platform } = parse(userAgent);
  return { browser: browser.name, os: os.name, type: platform.type };
}
