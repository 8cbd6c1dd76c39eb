import { problems } from "../rpc/error.ts";

/** The file of an error code's page, as the site of the docs names it. */
export function toErrorPage(code: string): string {
  return `${code}.html`;
}

/**
 * The `type` of a problem (RFC 9457, 3.1.1).
 * @param folder the URL of the pages, from `problemTypes` in the config
 * @returns the page of the code; `about:blank` without a folder, and for codes of a method's own
 */
export function toProblemType(code: string, folder: string | undefined): string {
  return folder !== undefined && Object.hasOwn(problems, code)
    ? folder + toErrorPage(code)
    : "about:blank";
}
