import { expect, it } from "vitest";
import { RoundFindings } from "../round-findings.ts";
import { DISTRIBUTED, EMBEDDED, indexRatios, viewRatios, WHAT } from "./index-budgets.ts";
import { CLEW, PEER } from "./index-servers.ts";

const SHAPE = { records: 100, transactions: 1, lookups: 1 };

function add(findings: RoundFindings, subject: string, values: Record<string, number>): void {
  for (const [what, value] of Object.entries(values)) {
    findings.add({ what, subject, unit: "", value });
  }
}

it("holds the indexer against the peer's CPU, its own limits, and what got lost", () => {
  const findings = new RoundFindings({ ours: CLEW, peer: PEER });
  const [sink, server] = ["null sink", "elasticsearch"] as const;
  add(findings, PEER, { [WHAT.cpu(sink)]: 7.66, [WHAT.cpu(server)]: 8 });
  add(findings, CLEW, {
    [WHAT.cpu(sink)]: 3.4,
    [WHAT.cpu(server)]: 4,
    [WHAT.memory(sink)]: 251,
    [WHAT.memory(server)]: 250,
    [WHAT.missing(sink)]: 0,
    [WHAT.doubled(sink)]: 1,
    [WHAT.missing(server)]: 0,
  });
  expect(indexRatios(findings).map(({ name, met }) => [name, met])).toEqual([
    ["CPU, into a null sink, of otel collector, default", true],
    ["CPU, into Elasticsearch, of otel collector, default", false],
    ["CPU, into a null sink, the worst round", true],
    ["memory, peak, into a null sink, the worst round", false],
    ["memory, peak, into Elasticsearch, the worst round", true],
    ["records missing, into a null sink", true],
    ["records stored twice, into a null sink", false],
    ["records missing, into Elasticsearch", true],
  ]);
});

it("holds a view against its budget only at the size that the budget is for", () => {
  const findings = new RoundFindings({ ours: CLEW, peer: PEER });
  const views = [
    { subject: EMBEDDED, stored: 10_000_000, shape: SHAPE },
    { subject: EMBEDDED, stored: 200_000, shape: SHAPE },
    { subject: DISTRIBUTED, stored: 1_000_000, shape: SHAPE },
  ];
  for (const view of views) add(findings, view.subject, { [WHAT.viewP99(view)]: 30 });
  const ratios = viewRatios(findings, views);
  expect(ratios.map(({ budget, met }) => [budget, met])).toEqual([
    ["≤ 20 ms", false],
    ["≤ 50 ms", true],
  ]);
});
