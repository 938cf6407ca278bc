import { expect, test } from "vitest";
import { type FoundAt, finding } from "../query/verdict/finding.ts";
import { describeFindings } from "./describe-findings.ts";
import { coloured, plain } from "./terminal.ts";

const PAGE = { columns: 60, colour: plain };
const NOTHING = { verdictReason: "", missing: [], doubts: [], waiting: [] };

function found(text: string, level: FoundAt["level"] = "missing") {
  return finding({ level, what: "logs", text });
}

test("what is missing, in doubt and waited for, each under its name", () => {
  const missing = [found("2 of 5 log records are not stored"), found("a span is not stored")];
  const doubts = [found("mail does not say how many records it makes", "doubt")];
  const waiting = [found("it is running", "waiting")];
  expect(describeFindings({ ...NOTHING, missing, doubts, waiting }, PAGE)).toEqual([
    "  missing   2 of 5 log records are not stored",
    "            a span is not stored",
    "  doubt     mail does not say how many records it makes",
    "  waiting   it is running",
  ]);
});

test("one that stands in the reason already is not told twice", () => {
  const waiting = [found("it is running", "waiting")];
  expect(
    describeFindings({ ...NOTHING, verdictReason: "waiting: it is running", waiting }, PAGE),
  ).toEqual([]);
});

test("long ones are wrapped, many are cut, and nothing runs terminal commands", () => {
  const long = found(`${"word ".repeat(20)}\u001b[2J`);
  const missing = Array.from({ length: 12 }, () => long);
  const lines = describeFindings({ ...NOTHING, missing }, PAGE);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
  expect(lines.at(-1)).toBe("            … and 2 more");
  expect(lines.join("\n")).not.toContain("\u001b");
  const red = describeFindings({ ...NOTHING, missing: [long] }, { columns: 60, colour: coloured });
  expect(red.join("\n")).toContain("\u001b[31m");
});
