import { expect, test } from "vitest";
import { Parameters } from "./parameters.ts";

const KNOWN = ["q", "limit", "from", "to", "severity", "minDurationMs", "status"];

function read(text: string): Parameters {
  return new Parameters(new URLSearchParams(text), KNOWN);
}

test("has a default for each parameter", () => {
  const parameters = read("q=&severity=");
  expect(parameters.limit()).toBe(100);
  expect(parameters.text("q")).toBeUndefined();
  expect(parameters.severity()).toBeUndefined();
  expect(parameters.window()).toEqual({});
  expect(parameters.oneOf("status", ["running"])).toBeUndefined();
  expect(parameters.milliseconds("minDurationMs")).toBeUndefined();
});

test.each([
  ["limit=1", (p: Parameters) => p.limit(), 1],
  ["limit=1000", (p: Parameters) => p.limit(), 1000],
  ["severity=warn", (p: Parameters) => p.severity(), 13],
  ["severity=ERROR", (p: Parameters) => p.severity(), 17],
  ["severity=24", (p: Parameters) => p.severity(), 24],
  ["minDurationMs=0.5", (p: Parameters) => p.milliseconds("minDurationMs"), 0.5],
  ["q=%22card%20declined%22", (p: Parameters) => p.text("q"), '"card declined"'],
])("reads %s", (text, get, want) => {
  expect(get(read(text))).toBe(want);
});

test.each([
  ["limit=0", (p: Parameters) => p.limit()],
  ["limit=1001", (p: Parameters) => p.limit()],
  ["limit=-1", (p: Parameters) => p.limit()],
  ["limit=1e3", (p: Parameters) => p.limit()],
  ["limit=99999999999999999999", (p: Parameters) => p.limit()],
  ["from=yesterday", (p: Parameters) => p.window()],
  ["from=15m", (p: Parameters) => p.window()],
  ["from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", (p: Parameters) => p.window()],
  ["severity=loud", (p: Parameters) => p.severity()],
  ["severity=0", (p: Parameters) => p.severity()],
  ["severity=25", (p: Parameters) => p.severity()],
  ["severity=constructor", (p: Parameters) => p.severity()],
  ["minDurationMs=-1", (p: Parameters) => p.milliseconds("minDurationMs")],
  ["minDurationMs=NaN", (p: Parameters) => p.milliseconds("minDurationMs")],
  ["status=done", (p: Parameters) => p.oneOf("status", ["running", "failed"])],
  [`q=${"x".repeat(1025)}`, (p: Parameters) => p.text("q")],
  ["q=a&q=b", (p: Parameters) => p.text("q")],
  ["sevice=orders", () => undefined],
])("refuses %s, naming the parameter, its value and what is allowed", (text, get) => {
  const [, name, value] = /^(\w+)=([^&]{0,40})/.exec(text) ?? [];
  const error = thrownBy(() => get(read(text)));
  expect(error).toMatchObject({ code: "PARAMETER_INVALID" });
  const told = String(error);
  expect(told).toContain(`cannot use ${name}=`);
  expect(told).toContain("allowed is ");
  if (!text.startsWith("q=a&")) expect(told).toContain(value);
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}
