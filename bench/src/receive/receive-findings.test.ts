import { expect, it } from "vitest";
import { receiveRatios, WHAT } from "./receive-budgets.ts";
import { ReceiveFindings } from "./receive-findings.ts";
import { GZIP_1000, PLAIN_1000 } from "./receive-plan.ts";
import { CLEW, PEER, PEER_QUEUE, type Subject } from "./receive-servers.ts";

const what = "CPU";

function found(values: Partial<Record<Subject, readonly number[]>>, as = what): ReceiveFindings {
  const findings = new ReceiveFindings();
  addTo(findings, as, values);
  return findings;
}

function addTo(
  findings: ReceiveFindings,
  as: string,
  values: Partial<Record<Subject, readonly number[]>>,
): void {
  for (const [subject, list] of Object.entries(values)) {
    for (const value of list) {
      findings.add({ what: as, subject: subject as Subject, unit: "s", value });
    }
  }
}

it("compares round by round, not the middle of one with the middle of the other", () => {
  const findings = found({ [CLEW]: [1, 10, 3], [PEER]: [2, 40, 4], [PEER_QUEUE]: [9, 9, 9] });
  expect(findings.againstPeer({ what, budget: 0.5 })).toEqual({
    name: `CPU, of ${PEER}`,
    ours: 3,
    peer: 4,
    value: 0.5,
    budget: "≤ 0.5 of the peer's",
    met: true,
  });
  expect(findings.againstPeer({ what, budget: 0.49 }).met).toBe(false);
});

it("does not compare with a peer that was not measured", () => {
  expect(() => found({ [CLEW]: [1] }).againstPeer({ what, budget: 1 })).toThrow("was measured");
});

it("takes the worst round for a limit", () => {
  const findings = found({ [CLEW]: [100, 251, 90] });
  expect(findings.worstAgainst({ what, budget: 250 })).toMatchObject({
    ours: 251,
    budget: "≤ 250 s",
    met: false,
  });
});

it("makes rows by what they are, and leaves out what is not there", () => {
  const findings = found({ [CLEW]: [2, Number.NaN, 1], [PEER]: [5] });
  findings.add({ what: "p99", subject: CLEW, unit: "ms", value: 7 });
  expect(
    findings.rows().map(({ name, subject, value, runs }) => [name, subject, value, runs]),
  ).toEqual([
    ["CPU", CLEW, 2, 2],
    ["CPU", PEER, 5, 1],
    ["p99", CLEW, 7, 1],
  ]);
});

it("holds each case against its budget, and the worst overload against collapse", () => {
  const findings = new ReceiveFindings();
  for (const [name, ours] of [
    [PLAIN_1000, 1.42],
    [GZIP_1000, 2],
  ] as const) {
    const peer = name === PLAIN_1000 ? 2.84 : 4;
    addTo(findings, WHAT.cpu(name), { [CLEW]: [ours], [PEER]: [peer] });
    addTo(findings, WHAT.p99(name), { [CLEW]: [40], [PEER]: [42] });
    addTo(findings, WHAT.loopDelay(name), { [CLEW]: [19] });
  }
  addTo(findings, WHAT.memory(PLAIN_1000), { [CLEW]: [250] });
  addTo(findings, WHAT.overloadedMemory, { [CLEW]: [240] });
  addTo(findings, WHAT.kept, { [CLEW]: [0.9, 0.4] });
  const met = receiveRatios(findings).map(({ name, met: isMet }) => [name.split(",")[0], isMet]);
  expect(met).toEqual([
    ["CPU", true],
    ["CPU", false],
    ["answer p99", true],
    ["answer p99", true],
    ["memory", true],
    ["memory", true],
    ["event loop delay p99", true],
    ["event loop delay p99", true],
    ["accepted of saturated", false],
  ]);
});
