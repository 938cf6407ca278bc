import { expect, it } from "vitest";
import { Findings } from "./findings.ts";
import { BARE, OURS_ALL } from "./subjects.ts";

it("sets each round's value against bare's of the same round", () => {
  const findings = new Findings();
  for (const [bare, ours] of [
    [100, 60],
    [50, 40],
    [80, 56],
  ]) {
    findings.add({ what: "speed", unit: "1/s", subject: BARE, value: bare ?? 0 });
    findings.add({ what: "speed", unit: "1/s", subject: OURS_ALL, value: ours ?? 0 });
  }
  const compare = (value: number, bare: number) => value / bare;
  findings.addAgainstBare({ what: "speed", as: "share", unit: "of bare", compare });
  expect(findings.valuesOf("share", OURS_ALL)).toEqual([0.6, 0.8, 0.7]);
  expect(findings.valuesOf("share", BARE)).toEqual([]);
  expect(findings.middleOf("share", OURS_ALL)).toBe(0.7);
  expect(findings.rows()).toEqual([
    { name: "speed", subject: "bare", value: 80, min: 50, max: 100, unit: "1/s", runs: 3 },
    { name: "speed", subject: OURS_ALL.name, value: 56, min: 40, max: 60, unit: "1/s", runs: 3 },
    {
      ...{ name: "share", subject: OURS_ALL.name, value: 0.7, min: 0.6, max: 0.8 },
      ...{ unit: "of bare", runs: 3 },
    },
  ]);
});

it("has no middle of what was not measured", () => {
  expect(() => new Findings().middleOf("speed", BARE)).toThrow("nothing was measured");
});
