import { expect, it } from "vitest";
import { checkWireNames } from "./check-wire-names.ts";
import { projectOf } from "./project.ts";

const NAMES = {
  "a/src/wire-names.ts": 'export const HEADER = { run: "clew-run", baggage: "baggage" };',
};

function rulesFor(path: string, text: string): readonly string[] {
  const { findings } = checkWireNames.run(projectOf({ ...NAMES, [path]: text }));
  return findings.map(({ rule }) => rule);
}

it.for<[string, string]>([
  ['f("clew_bus_lag_seconds");', "clew_bus_lag_seconds"],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the sample is source text.
  ["f(`set CLEW_PORT, not ${x}`);", "CLEW_PORT"],
  ['request.headers["clew-run"];', "clew-run"],
])("finds %s", ([text, name]) => {
  expect(rulesFor("a/src/x.ts", text)).toEqual([`the name ${name} is spelt here again`]);
});

it("passes the names' homes, tests, comments and plain words", () => {
  expect(rulesFor("a/src/config.ts", 'f("CLEW_PORT");')).toEqual([]);
  expect(rulesFor("a/src/x.test.ts", 'f("clew-run");')).toEqual([]);
  expect(rulesFor("a/src/x.ts", '// CLEW_PORT\nf("baggage");')).toEqual([]);
  expect(rulesFor("a/src/x.ts", 'import { HEADER } from "clew-run";')).toEqual([]);
});

it("examines nothing where no names are declared", () => {
  expect(checkWireNames.run(projectOf({ "a/src/x.ts": "" })).examined).toBe(0);
});
