import { expect, it } from "vitest";
import { type Exemption, withoutExempted } from "./exemptions.ts";

const FINDING = { path: "a.ts", line: 7, rule: "no barrels (x)", instead: "" };
const EXEMPTION: Exemption = { check: "exports", path: "a.ts", rule: "no barrels", reason: "" };

function kept(exemptions: readonly Exemption[], findings = [FINDING]): readonly string[] {
  const result = { findings, examined: 1 };
  return withoutExempted(result, { check: "exports", exemptions }).map(({ rule }) => rule);
}

it("hides the one finding it names", () => {
  expect(kept([])).toEqual(["no barrels (x)"]);
  expect(kept([EXEMPTION])).toEqual([]);
  expect(kept([{ ...EXEMPTION, check: "sizes" }])).toEqual(["no barrels (x)"]);
});

it("is itself a finding once nothing needs it", () => {
  expect(kept([EXEMPTION], [])).toEqual(['the exemption from "no barrels" is no longer needed']);
  expect(kept([{ ...EXEMPTION, path: "b.ts" }])).toHaveLength(2);
});
