import { expect, test, vi } from "vitest";
import { type BackendsConfig, readBackendsConfig } from "../config.ts";
import { hasPrograms, requireJava } from "./required-programs.ts";

const MISSING = { command: ["clew-has-no-such-program"], toInstall: "that program" } as const;
const THERE = { command: [process.execPath, "--version"], toInstall: "Node" } as const;

test("is silent where everything is there", () => {
  expect(linesOf(() => expect(hasPrograms("a test", [THERE])).toBe(true))).toEqual([]);
});

test("says in one line what is skipped and how to enable it", () => {
  const lines = linesOf(() => {
    expect(hasPrograms("a test", [THERE, MISSING], config({ CI: "" }))).toBe(false);
  });
  expect(lines).toEqual(["skipped: a test; to enable: install that program\n"]);
});

test("in continuous integration a skip is a failure", () => {
  expect(() => hasPrograms("a test", [MISSING], config({ CI: "true" }))).toThrow(
    "skipped: a test; to enable: install that program",
  );
});

test("takes a program that says the wrong thing, or fails, for missing", () => {
  const old = { ...THERE, isEnough: (output: string) => !output.startsWith("v") };
  const failing = { ...THERE, command: [process.execPath, "--no-such-option"] } as const;
  for (const requirement of [old, failing]) {
    expect(() => hasPrograms("a test", [requirement], config({ CI: "true" }))).toThrow("Node");
  }
});

test("asks the Java of JAVA_HOME", () => {
  expect(() => requireJava("Kafka", config({ CI: "true", JAVA_HOME: "/no/such/java" }))).toThrow(
    "skipped: Kafka; to enable: install Java 17 or newer and Maven",
  );
});

function config(env: Record<string, string>): BackendsConfig {
  return readBackendsConfig(env);
}

function linesOf(act: () => void): unknown[] {
  const write = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    act();
    return write.mock.calls.map(([line]) => line);
  } finally {
    write.mockRestore();
  }
}
