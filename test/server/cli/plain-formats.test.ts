import { describe, expect, test } from "vitest";
import { loadStorefrontConfig } from "../../../server/config/load.ts";
import { createFolder, runCli } from "../../_cli.ts";

const secret = "hunter2secret";

/** Files with a mistake next to a secret, and the position of the mistake. */
const faulty: [file: string, text: string, place: string][] = [
  ["a.yaml", `session:\n  secret: ${secret} : x\n`, "YAML, line 2, column 25"],
  ["a.yaml", `session:\n  secret: "${secret}\n`, "YAML, line 3, column 1"],
  ["a.yml", `session:\n  secret: *${secret}\n`, "YAML, line 2"],
  ["a.yml", `session:\n  secret: !${secret} x\n`, "YAML, line 2"],
  ["a.yml", `session:\n  ${secret}: 1\n  ${secret}: 2\n`, "YAML, line 3"],
  ["a.toml", `[session]\nsecret = ${secret}\n`, "TOML, line 2"],
  ["a.toml", `[session]\nsecret = "${secret}\n`, "TOML, line"],
  ["a.toml", `[session]\n${secret} = 1\n${secret} = 2\n`, "TOML, line 3"],
  ["a.json", `{\n"session": {"secret": ${secret}}}`, "JSON, line 2, column 23"],
  ["a.json", `{\n"session": {"secret": "a" "${secret}"}}`, "JSON, line 2, column 27"],
  ["a.json", `{"session": {"secret": "${secret}\n"}}`, "JSON, line 1"],
  ["a.json", `{"session": {"secret": "${secret}"`, "JSON, line 1"],
  ["a.json", `{/* ${secret} */}`, "JSON"],
  ["a.json", `\uFEFF{\n"session": {"secret": ${secret}}}`, "JSON, line 2, column 23"],
  ["a.jsonc", `{\n// ${secret}\n"session": {"secret": ${secret}}}`, "JSON with comments, line 3"],
  ["a.jsonc", `{"session": {"secret": "${secret}"`, "JSON with comments, line 1"],
  ["a.json5", `{\nsession: {secret: ${secret}}}`, "JSON5, line 2"],
  ["a.json5", `{session: {secret: '${secret}\n'}}`, "JSON5, line"],
];

describe("a syntax error in a config without code", () => {
  test.each(faulty)("shows its line and column, without the text: %s %#", async (...given) => {
    const [file, text, place] = given;
    const folder = await createFolder({ [file]: text });
    const loading = loadStorefrontConfig(folder, file, { isReadAgain: false });
    const error: unknown = await loading.catch((caught: unknown) => caught);
    const chain: string[] = [];
    for (let link = error; link instanceof Error; link = link.cause) chain.push(String(link.stack));
    expect(chain[0]).toContain(`it is not valid ${place}`);
    expect(chain.join()).not.toContain("hunter2");
  });

  test.each(["start", "doctor", "explain --shop 1", "dev"])(
    "never shows its text in storefront %s",
    async (command) => {
      const [file, text, place] = faulty[0] as (typeof faulty)[0];
      const folder = await createFolder({ [file]: text });
      const { stdout, stderr, code } = await runCli([...command.split(" "), "--config", file], {
        folder,
      });
      expect(code).not.toBe(0);
      expect(stderr).toContain(place);
      expect(stdout + stderr).not.toContain("hunter2");
    },
  );
});

test("JSON with comments accepts an extra comma", async () => {
  const folder = await createFolder({ "a.jsonc": '{ "shops": [1, ], // the shops\n }' });
  const { config } = await loadStorefrontConfig(folder, "a.jsonc", { isReadAgain: false });
  expect(config).toEqual({ shops: [1] });
});

test.each([
  ["comments", "// the shops\n{}"],
  ["an extra comma", '{ "shops": [], }'],
])("JSON with %s gets the name of the format for that", async (_, text) => {
  const folder = await createFolder({ "a.json": text });
  await expect(loadStorefrontConfig(folder, "a.json")).rejects.toThrow("rename it to .jsonc");
});

test.each([
  ["a.json", '{ "basePath": "/a" }'],
  ["a.jsonc", '{ "basePath": "/a", }'],
  ["a.json5", "{ basePath: '/a' }"],
  ["a.yaml", "basePath: /a\r\n"],
  ["a.toml", 'basePath = "/a"\r\n'],
])("%s can begin with a byte order mark", async (file, text) => {
  const folder = await createFolder({ [file]: `\uFEFF${text}` });
  const { config } = await loadStorefrontConfig(folder, file);
  expect(config).toEqual({ basePath: "/a" });
});
