import { describe, expect, test } from "vitest";
import { echoLines, withoutHeader } from "./echo-header.ts";

const BOTH = { id: "T-1", runId: "r1" };
const ID_LINE = "X-Transaction-ID: T-1\r\n";
const RUN_LINE = "Clew-Run: r1\r\n";

describe("the headers that a response gets", () => {
  test.each([
    ["no headers", undefined, ID_LINE + RUN_LINE],
    ["null", null, ID_LINE + RUN_LINE],
    ["others", { "content-type": "x", "x-transaction-idx": "1" }, ID_LINE + RUN_LINE],
    ["its own ID", { "X-TRANSACTION-ID": "mine" }, RUN_LINE],
    ["its own ID, set by setHeader", { "x-transaction-id": ["x-transaction-id", "m"] }, RUN_LINE],
    ["its own in a flat list", ["X-Transaction-Id", "mine", "a", "b"], RUN_LINE],
    ["its own as a value of a flat list", ["a", "x-transaction-id"], ID_LINE + RUN_LINE],
    [
      "its own in pairs",
      [
        ["a", "b"],
        ["x-transaction-id", "mine"],
      ],
      RUN_LINE,
    ],
    ["an empty list", [], ID_LINE + RUN_LINE],
    ["an ID and a run of its own", { "x-transaction-id": "a", "clew-run": "b" }, RUN_LINE],
    [
      "names that are no text",
      [
        [1, 2],
        [Symbol("x"), 3],
      ],
      ID_LINE + RUN_LINE,
    ],
  ])("where the service gave %s", (_, headers, want) => {
    expect(echoLines(BOTH, headers)).toBe(want);
  });

  test("the run is told only where the caller asked", () => {
    expect(echoLines({ id: "T-1", runId: undefined }, undefined)).toBe(ID_LINE);
  });
});

test.each([
  ["none", undefined, undefined],
  ["others", { a: "1" }, { a: "1" }],
  ["an object", { a: "1", "Clew-Run": "x" }, { a: "1" }],
  ["a flat list", ["a", "1", "CLEW-RUN", "x", "b", "clew-run"], ["a", "1", "b", "clew-run"]],
  [
    "pairs",
    [
      ["a", "1"],
      ["clew-run", "x"],
    ],
    [["a", "1"]],
  ],
])("taking a header out of %s", (_, headers, want) => {
  expect(withoutHeader(headers, "clew-run")).toEqual(want);
});
