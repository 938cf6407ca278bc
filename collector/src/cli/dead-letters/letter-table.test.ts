import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { plain, type Terminal } from "../terminal.ts";
import { formatTable } from "./letter-table.ts";

const ROWS = [
  { count: 7, name: "orders", what: "a long text that goes on and on and on and on" },
  { count: 1200, name: "ü\u001b[31m", what: "two\nlines" },
];
const COLUMNS = [
  { title: "COUNT", text: (row: (typeof ROWS)[0]) => String(row.count), isNumber: true },
  { title: "NAME", text: (row: (typeof ROWS)[0]) => row.name },
  { title: "WHAT", text: (row: (typeof ROWS)[0]) => row.what },
];

function terminal(isInteractive: boolean): Terminal {
  return {
    ...{ stdin: new PassThrough(), isInteractive, columns: 45, colour: plain },
    print: () => undefined,
    note: () => undefined,
  };
}

test("lines up, and is harmless on a terminal, which it fits", () => {
  expect(formatTable(ROWS, COLUMNS, terminal(true)).split("\n")).toEqual([
    "COUNT  NAME       WHAT",
    "    7  orders     a long text that goes on a…",
    " 1200  ü\\x1b[31m  two\\nlines",
  ]);
});

test("cuts nothing for another program", () => {
  expect(formatTable(ROWS, COLUMNS, terminal(false))).toContain("on and on and on and on");
});

test("has its titles where there is nothing", () => {
  expect(formatTable([], COLUMNS, terminal(true))).toBe("COUNT  NAME  WHAT");
});
