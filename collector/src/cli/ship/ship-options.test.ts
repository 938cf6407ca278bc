import { join } from "node:path";
import { expect, test } from "vitest";
import { readClientConfig } from "../../config.ts";
import { UsageError } from "../usage-error.ts";
import { readShipOptions } from "./ship-options.ts";

test("what holds where nothing is said", () => {
  const { dataDir } = readClientConfig();
  expect(readShipOptions(["a.log"])).toMatchObject({
    patterns: ["a.log"],
    exclude: [],
    follow: false,
    fromEnd: false,
    multiline: "auto",
    service: undefined,
    stateDir: join(dataDir, "ship"),
  });
});

test("everything said", () => {
  const args = ["-f", "a", "b", "--exclude", "*.gz", "--exclude", "*.tmp", "--from-end"];
  const options = readShipOptions([
    ...args,
    "--state-dir",
    "/x/y",
    "--multiline",
    "^\\d",
    "--json",
  ]);
  expect(options).toMatchObject({
    patterns: ["a", "b"],
    exclude: ["*.gz", "*.tmp"],
    follow: true,
    fromEnd: true,
    stateDir: "/x/y",
    isJson: true,
  });
  expect(options.multiline).toEqual(/^\d/);
  expect(readShipOptions(["a", "--multiline", "off"]).multiline).toBe("off");
});

test.each([
  [["--follow"], "--follow needs files"],
  [["--follow", "-"], "--follow needs files"],
  [["a", "--from-end"], "--from-end needs --follow"],
  [["a", "--from-start"], "--from-start needs --follow"],
  [["a", "--state-dir", "x"], "--state-dir needs --follow"],
  [["-f", "a", "--from-end", "--from-start"], "exclude each other"],
  [["a", "--multiline", "("], "is no off, auto or regular expression"],
  [["a", "--otlp-url", "ftp://x"], "is no http or https URL"],
])("%j is wrong usage", (args, why) => {
  expect(() => readShipOptions(args)).toThrow(UsageError);
  expect(() => readShipOptions(args)).toThrow(why);
});
