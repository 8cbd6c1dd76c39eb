import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { H3, serve } from "h3";
import { onTestFinished } from "vitest";

type Answer = (request: Request) => Response | Promise<Response>;

/**
 * Serves on a free local port under any name until the test ends.
 * @param address scheme and host, for example `https://shop.example`; a port is ignored
 * @returns the origin, port included
 */
export async function listen(address: string, fetch: Answer): Promise<string> {
  const { protocol, hostname } = new URL(address);
  const server = serve(
    new H3().all("/**", ({ req }) => fetch(req)),
    {
      port: 0,
      hostname: "127.0.0.1",
      silent: true,
      gracefulShutdown: false,
      ...(protocol === "https:" && { tls: createCertificate() }),
    },
  );
  await server.ready();
  onTestFinished(() => server.close(true));
  return `${protocol}//${hostname}:${new URL(server.url as string).port}`;
}

// --- Internal helpers ---

let certificate: { cert: string; key: string } | undefined;

/** A self-signed certificate, which browsers accept only by a flag. */
function createCertificate(): { cert: string; key: string } {
  if (certificate !== undefined) return certificate;
  const folder = mkdtempSync(join(tmpdir(), "storefront-certificate-"));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const names = ["-subj", "/CN=test", "-days", "1"];
  execFileSync("openssl", ["req", ...kind, ...names, "-keyout", key, "-out", cert], {
    stdio: "ignore",
  });
  certificate = { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  rmSync(folder, { recursive: true });
  return certificate;
}
