import { installLocked } from "../_locked-install.ts";

/** Installs the generator of clients. */
export function setup(): void {
  installLocked("test/openapi");
}
