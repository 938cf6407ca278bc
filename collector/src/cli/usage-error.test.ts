import { expect, test } from "vitest";
import { parseCommandLine, UsageError } from "./usage-error.ts";

const OPTIONS = { json: { type: "boolean" }, url: { type: "string" } } as const;

function parse(...args: string[]) {
  return parseCommandLine({ command: "find", args, options: OPTIONS, positionalsMax: 1 });
}

test("reads options and the rest", () => {
  const { values, positionals } = parse("order-1", "--json", "--url", "http://x");
  expect(values).toMatchObject({ json: true, url: "http://x" });
  expect(positionals).toEqual(["order-1"]);
});

test.each([
  [["--jsn"], "Unknown option '--jsn'"],
  [["--url"], "Option '--url <value>' argument missing"],
  [["--json=yes"], "Option '--json' does not take an argument"],
  [["a", "b"], "unexpected argument 'b'"],
  [["-x"], "Unknown option '-x'"],
])("refuses %j in one line that names the help", (args, why) => {
  const act = () => parse(...args);
  expect(act).toThrow(UsageError);
  expect(act).toThrow(`cannot run clew find: ${why}; see clew find --help`);
});
