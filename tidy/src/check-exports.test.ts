import { expect, it } from "vitest";
import { checkExports } from "./check-exports.ts";
import { projectOf } from "./project.ts";

function rulesFor(path: string, text: string): readonly string[] {
  return checkExports.run(projectOf({ [path]: text })).findings.map(({ rule }) => rule);
}

it.for<[string, string]>([
  ["export default 1;", "no default exports"],
  ["const a = 1; export { a as default };", "no default exports"],
  ['export * from "./x.ts";', "no barrels (it passes on ./x.ts)"],
  ['export { x } from "./x.ts";', "no barrels (it passes on ./x.ts)"],
  ['export type { X } from "./x.ts";', "no barrels (it passes on ./x.ts)"],
])("finds %s", ([text, rule]) => {
  expect(rulesFor("collector/src/a.ts", text)).toEqual([rule]);
});

it("passes named exports, tool configuration and the public entry", () => {
  expect(rulesFor("collector/src/a.ts", "export const a = 1;")).toEqual([]);
  expect(rulesFor("collector/web/vite.config.ts", "export default {};")).toEqual([]);
  expect(rulesFor("instrumentation/src/index.ts", 'export { x } from "./x.ts";')).toEqual([]);
});
