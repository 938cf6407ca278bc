import { expect, it } from "vitest";
import { checkPorts } from "./check-ports.ts";
import { projectOf } from "./project.ts";

const check = checkPorts([{ path: "a/bus.ts", interfaces: ["Bus"] }]);
const GOOD = {
  "a/bus.ts": "/** Promises: all. Errors: none. */ export interface Bus {}",
  "a/bus.contract.ts": "export function busContract() {}",
  "a/near-bus.ts": 'import type { Bus } from "./bus.ts"; export class NearBus implements Bus {}',
  "a/near-bus.test.ts": 'import "./bus.contract.ts"; import "./near-bus.ts";',
  "a/far-bus.ts": "export class FarBus implements Bus {}",
  "a/open-far-bus.ts": 'import "./far-bus.ts";',
  "a/far-bus.test.ts": 'import "./bus.contract.ts"; import "./open-far-bus.ts";',
};

function rulesFor(texts: Readonly<Record<string, string | undefined>>): readonly string[] {
  const present = Object.entries(texts).flatMap(([path, text]) =>
    text === undefined ? [] : [[path, text] as const],
  );
  const { findings } = check.run(projectOf(Object.fromEntries(present)));
  return findings.map(({ path, rule }) => `${path}: ${rule}`);
}

it("passes a port whose implementations run its contract", () => {
  expect(rulesFor(GOOD)).toEqual([]);
});

it("finds what a port lacks", () => {
  const text = 'import type { Kafka } from "kafkajs"; export interface Bus {}';
  expect(rulesFor({ ...GOOD, "a/bus.ts": text })).toEqual([
    "a/bus.ts: a port holds no type of kafkajs",
    "a/bus.ts: a port says its promises in prose",
    "a/bus.ts: a port says its errors in prose",
  ]);
  expect(rulesFor({ ...GOOD, "a/bus.contract.ts": undefined })).toEqual([
    "a/bus.ts: a port has one contract",
  ]);
  expect(rulesFor({ ...GOOD, "a/bus.ts": undefined })).toContain("a/bus.ts: the port is not there");
});

it("finds an implementation that is not held to the contract, and a stray contract", () => {
  expect(rulesFor({ ...GOOD, "a/far-bus.test.ts": 'import "./bus.contract.ts";' })).toEqual([
    "a/far-bus.ts: FarBus implements the port and does not run bus.contract.ts",
  ]);
  expect(rulesFor({ ...GOOD, "a/queue.contract.ts": "" })).toEqual([
    "a/queue.contract.ts: a contract belongs to a port of the same name",
  ]);
});
