import { expect, it } from "vitest";
import { checkTests } from "./check-tests.ts";
import { projectOf } from "./project.ts";

function rulesFor(path: string, text: string): readonly string[] {
  return checkTests.run(projectOf({ [path]: text })).findings.map(({ rule }) => rule);
}

it.for<[string, string]>([
  ['it.skip("x", f);', "no .skip in tests"],
  ['describe.only("x", f);', "no .only in tests"],
  ['test.concurrent.skip("x", f);', "no .skip in tests"],
  ['it.todo("x");', "no .todo in tests"],
  ["await new Promise((r) => setTimeout(r, 100));", "no sleep in tests"],
  ["await new Promise((r) => { setTimeout(() => r(), 100); });", "no sleep in tests"],
  ['import { setTimeout as later } from "node:timers/promises";', "no sleep in tests"],
  ["await sleep(100);", "no sleep in tests"],
])("finds %s", ([text, rule]) => {
  expect(rulesFor("a/src/x.test.ts", text)).toEqual([rule]);
  expect(rulesFor("a/test/x.ts", text)).toEqual([rule]);
});

it("passes conditions, deadlines and source", () => {
  const good = `
    it.skipIf(!hasJava)("x", f);
    await vi.waitFor(() => expect(a).toBe(1));
    await new Promise((resolve, reject) => setTimeout(() => reject(late), 100));
    array.skip(1);`;
  expect(rulesFor("a/src/x.test.ts", good)).toEqual([]);
  expect(rulesFor("a/src/x.ts", "await sleep(100);")).toEqual([]);
});
