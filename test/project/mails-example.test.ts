import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { startCommand } from "../_command.ts";
import { startMailCatcher } from "../_smtp.ts";
import { testSecret } from "../_setup.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ada = { email: "ada@example.com", password: "correct horse" };

test(
  "examples/mails sends tokens by SMTP, in the language of the shop",
  { timeout: 150_000 },
  async () => {
    const readme = await readFile(join(root, "examples/mails/README.md"), "utf8");
    const config = "examples/mails/storefront.config.ts";
    expect(readme).toContain(`npm run dev -- --config ${config}`);
    const mails = await startMailCatcher();
    const server = await startCommand(
      `exec node dist/server/cli/cli.js start --port 0 --config ${config}`,
      {
        cwd: root,
        env: {
          SMTP_URL: mails.url,
          SITE_URL: "https://shop.example",
          STOREFRONT_SESSION_SECRET: testSecret,
        },
      },
      (output) => /listens on \S+\n/.test(output),
    );
    onTestFinished(() => server.stop());
    const [, origin = ""] = /listens on (\S+)/.exec(server.output()) ?? [];
    const call = async (shop: string, method: string, payload: object) => {
      const response = await fetch(`${origin}/${shop}/api/rpc/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json", connection: "close" },
        body: JSON.stringify({ payload }),
      });
      return { status: response.status, body: await response.text() };
    };
    const receive = async (subject: string, link: string) => {
      const { to, text } = await mails.next();
      expect(to).toEqual([ada.email]);
      expect(text).toMatch(new RegExp(`^Subject: .*${subject}`, "m"));
      expect(text).toContain("From: shop@shop.example");
      return new RegExp(`https://shop.example/${link}#([\\w-]{43})\\s`).exec(text)?.[1];
    };

    const registered = await call("uk", "register", { ...ada, firstName: "Ada" });
    expect(registered.body).toContain('"emailVerified":false');
    const verification = await receive("Your email address", "verifyEmail");
    expect((await call("uk", "verifyEmail", { token: verification })).status).toBe(200);
    expect((await call("de", "requestPasswordReset", { email: ada.email })).status).toBe(204);
    const token = await receive("Ihr neues Passwort", "resetPassword");
    const newPassword = "battery staple";
    expect((await call("de", "resetPassword", { token, newPassword })).status).toBe(204);
    await receive("Passwort_wurde_ge", "-");
    expect((await call("uk", "login", ada)).status).toBe(401);
    const login = await call("uk", "login", { ...ada, password: newPassword });
    expect(login.body).toContain('"emailVerified":true');
    expect(server.output()).not.toContain(token);
  },
);
