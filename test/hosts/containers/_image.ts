import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../_cli.ts";

/** The name of the image that `examples/containers/Dockerfile` builds. */
export const image = "localhost/storefront";

/** Images and containers in a folder of their own, apart from those of the machine. */
export interface ImageStore {
  /** Runs podman. @returns its output @throws Error with its output */
  podman(...args: readonly string[]): string;
  /** The arguments of a podman command on these images. */
  toArguments(...args: readonly string[]): string[];
}

/**
 * Builds the image without a registry of images: its base comes from Debian packages and the Node of this machine.
 * @param folder an empty folder
 * @param config the project's `storefront.config.ts`
 */
export function buildImage(folder: string, config: string): ImageStore {
  const storage = ["--root", join(folder, "images"), "--runroot", join(folder, "run")];
  const build = (name: string, context: string) => {
    // This isolation needs no privileges of its own, so it also works inside a container.
    const options = ["--isolation", "chroot", "--pull-never", "--layers=false", "--tag", name];
    run("buildah", [...storage, "build", ...options, context], folder);
  };
  const base = join(folder, "base");
  writeBase(base);
  const dockerfile = readFileSync(join(root, "examples/containers/Dockerfile"), "utf8");
  build(/^FROM (\S+)$/m.exec(dockerfile)?.[1] ?? "", base);
  const project = join(folder, "project");
  writeProject(project, config);
  build(image, project);

  // Debian's crun can't start containers inside a container.
  const toArguments = (...args: readonly string[]) => ["--runtime", "runc", ...storage, ...args];
  return {
    toArguments,
    podman: (...args) => run("podman", toArguments(...args), folder),
  };
}

// --- Internal helpers ---

/** Runs a program. @throws Error with its output */
function run(program: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(program, args, { cwd, stdio: "pipe" }).toString();
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout: Buffer; readonly stderr: Buffer };
    throw new Error(`${program} ${args[0]} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** A project as a user has it, with the packed package instead of one from npm. */
function writeProject(folder: string, config: string): void {
  cpSync(join(root, "examples/containers"), folder, { recursive: true });
  rmSync(join(folder, "README.md"));
  writeFileSync(join(folder, "storefront.config.ts"), config);
  writeFileSync(join(folder, ".env"), "STOREFRONT_SESSION_SECRET=must-not-be-in-the-image\n");
  const pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
  const tarball = run("npm", pack, root).trim();
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  run("npm", ["install", "--package-lock-only", "--no-audit", `./${tarball}`], folder);
  // `npm ci` needs the tarball next to the lock file.
  const path = join(folder, "Dockerfile");
  const dockerfile = readFileSync(path, "utf8");
  writeFileSync(path, dockerfile.replace("package-lock.json", `package-lock.json ${tarball}`));
}

/** A base as the official image: Node and npm in `/usr/local`, and a user `node`. */
function writeBase(folder: string): void {
  mkdirSync(folder);
  const release = readFileSync("/etc/os-release", "utf8");
  const [, suite = ""] = /VERSION_CODENAME=(\w+)/.exec(release) ?? [];
  const merged = "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr";
  const packages = "--include=base-files,base-passwd,dash,coreutils,libstdc++6";
  run("mmdebstrap", ["--variant=extract", merged, packages, suite, "system.tar"], folder);
  cpSync(process.execPath, join(folder, "node"));
  const npm = join(run("npm", ["root", "--global"], folder).trim(), "npm");
  cpSync(npm, join(folder, "npm"), { recursive: true });
  const certificates = process.env["NODE_EXTRA_CA_CERTS"] ?? "/etc/ssl/certs/ca-certificates.crt";
  cpSync(certificates, join(folder, "certificates.crt"), { dereference: true });
  writeFileSync(
    join(folder, "npm.sh"),
    '#!/bin/sh\nexec node /usr/local/lib/npm/bin/npm-cli.js "$@"\n',
  );
  writeFileSync(
    join(folder, "passwd"),
    "root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/tmp:/bin/sh\n",
  );
  writeFileSync(join(folder, "group"), "root:x:0:\nnode:x:1000:\n");
  writeFileSync(
    join(folder, "Dockerfile"),
    `FROM scratch
ADD system.tar /
COPY passwd group /etc/
COPY certificates.crt /etc/ssl/
COPY node /usr/local/bin/
COPY npm /usr/local/lib/npm
COPY --chmod=755 npm.sh /usr/local/bin/npm
ENV PATH=/usr/local/bin:/usr/bin:/bin NODE_EXTRA_CA_CERTS=/etc/ssl/certificates.crt
`,
  );
}
