import { execFileSync } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { root } from "../_cli.ts";

test("npm run changelog adds a section with the features and fixes since the last tag", async () => {
  const folder = await mkdtemp(join(tmpdir(), "storefront-changelog-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const git = (...args: readonly string[]) => {
    const author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
    execFileSync("git", [...author, ...args], { cwd: folder, stdio: "pipe" });
  };
  const commit = (subject: string) => git("commit", "--quiet", "--allow-empty", "-m", subject);
  for (const file of ["CHANGELOG.md", "changelog.config.json"]) {
    await copyFile(join(root, file), join(folder, file));
  }
  await writeFile(join(folder, "package.json"), '{ "version": "0.3.0", "type": "module" }');
  git("init", "--quiet");
  commit("feat: begin");
  git("tag", "v0.2.0");
  commit("feat(rpc): send events");
  commit("fix(session)!: reject an old cookie");
  commit("docs: explain events");
  execFileSync(
    join(root, "docs/node_modules/.bin/changelogen"),
    ["--output", "CHANGELOG.md", "-r", "0.3.0"],
    {
      cwd: folder,
      stdio: "pipe",
    },
  );
  const text = await readFile(join(folder, "CHANGELOG.md"), "utf8");
  const [, added = ""] = /^## v0\.3\.0$([^]*)^## v0\.2\.0$/m.exec(text) ?? [];
  expect(added).toMatch(/### Features\s+- \*\*rpc:\*\* Send events/);
  expect(added).toMatch(/### Fixes\s+- \*\*session:\*\* .*Reject an old cookie/);
  expect(added).toContain("Breaking Changes");
  expect(added).not.toContain("xplain events");
});
