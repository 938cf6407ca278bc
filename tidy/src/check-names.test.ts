import { expect, it } from "vitest";
import { checkNames, wordsOf } from "./check-names.ts";
import { projectOf } from "./project.ts";

function rulesFor(texts: Readonly<Record<string, string>>): readonly string[] {
  return checkNames.run(projectOf(texts)).findings.map(({ path, rule }) => `${path}: ${rule}`);
}

it.for<[string, string, string]>([
  ["a/src/utils.ts", "export const utils = 1;", "no file named utils.ts"],
  ["a/src/helpers.ts", "export const helpers = 1;", "no file named helpers.ts"],
  ["a/src/types.ts", "export type Types = 1;", "no file named types.ts"],
  ["a/src/kafkaBus.ts", "export class KafkaBus {}", "file names are kebab-case"],
  [
    "a/src/queue.ts",
    "export class KafkaBus {}",
    "a file is named after its main export (KafkaBus)",
  ],
  [
    "a/src/access.ts",
    "export function checkHost() {}",
    "a file is named after its main export (checkHost)",
  ],
  ["a/src/x.test.ts", "", "x.test.ts needs x.ts beside it"],
])("finds %s", ([path, text, rule]) => {
  expect(rulesFor({ [path]: text })).toEqual([`${path}: ${rule}`]);
});

it("passes what is named as it should be", () => {
  const good = {
    "a/src/kafka-bus.ts": "export class KafkaBus {}",
    "a/src/kafka-bus.test.ts": "",
    "a/src/errors.ts": "export const ERRORS = {}; export class StoreError {}",
    "a/src/navigation.tsx": "export function navigate() {}",
    "a/src/main.ts": "export const anything = 1;",
    "a/src/index-worker.ts": "console.log(1);",
    "a/test/main-job.test.ts": "",
    "tidy.test.ts": "",
    "a/vite.config.ts": "export default {};",
  };
  expect(rulesFor(good)).toEqual([]);
});

it("takes names apart into words", () => {
  expect(wordsOf("StoreWriter")).toEqual(["store", "writer"]);
  expect(wordsOf("ALL_ERRORS")).toEqual(["all", "error"]);
  expect(wordsOf("HTTPServer")).toEqual(["http", "server"]);
  expect(wordsOf("access")).toEqual(["access"]);
});
