import { REPORT } from "@clew/instrumentation/names";
import { expect, test } from "vitest";
import type { AttributeValue, RunReport } from "../record.ts";
import type { Page, RunFilter } from "../store/store.ts";
import { LIVE_SECONDS_MAX, ScrapeTargets } from "./scrape-targets.ts";

const NOW_NS = 1_769_860_800_000_000_000n;

function run(runId: string, address: AttributeValue | undefined, isFinal = false): RunReport {
  return {
    ...{ runId, service: `service-of-${runId}`, instanceId: `${runId}-1`, host: "", pid: null },
    ...{ firstSeenNs: NOW_NS, lastSeenNs: NOW_NS, isFinal },
    figures: address === undefined ? {} : { [REPORT.metricsAddress]: address },
  };
}

function targetsOf(pages: readonly Page<RunReport>[], networks: readonly string[] = ["loopback"]) {
  const asked: RunFilter[] = [];
  const reader = {
    runs: async (filter: RunFilter) => {
      asked.push(filter);
      return pages[asked.length - 1] ?? { items: [], cursor: null, isCut: false };
    },
  };
  return { asked, targets: new ScrapeTargets({ reader, networks, nowNs: () => NOW_NS }) };
}

function pageOf(items: readonly RunReport[], cursor: string | null = null): Page<RunReport> {
  return { items, cursor, isCut: false };
}

test("live instances, by service, each with who it is", async () => {
  const { asked, targets } = targetsOf([
    pageOf([run("b", "127.0.0.1:9465")], "next"),
    pageOf([
      run("a", "127.0.0.1:9464"),
      run("over", "127.0.0.1:9466", true),
      run("none", undefined),
    ]),
  ]);
  expect(await targets.list()).toEqual([
    {
      targets: ["127.0.0.1:9464"],
      labels: { service_name: "service-of-a", service_instance_id: "a-1", clew_run_id: "a" },
    },
    {
      targets: ["127.0.0.1:9465"],
      labels: { service_name: "service-of-b", service_instance_id: "b-1", clew_run_id: "b" },
    },
  ]);
  const seenFromNs = NOW_NS - BigInt(LIVE_SECONDS_MAX) * 1_000_000_000n;
  expect(asked).toMatchObject([{ seenFromNs }, { seenFromNs, cursor: "next" }]);
  expect(targets.counts).toEqual({ listed: 2, outside: 0, unreadable: 0 });
});

test.each<[AttributeValue, string]>([
  ["127.0.0.1:9464", "listed"],
  ["127.8.0.1:1", "listed"],
  ["[::1]:9464", "listed"],
  ["10.0.0.7:9464", "outside"],
  ["169.254.169.254:80", "outside"],
  ["[fe80::1]:9464", "outside"],
  ["0.0.0.0:9464", "outside"],
  ["localhost:9464", "outside"],
  ["orders.svc:9464", "outside"],
  ["127.0.0.1@evil.example:80", "outside"],
  ["127.0.0.1", "unreadable"],
  ["127.0.0.1:0", "unreadable"],
  ["127.0.0.1:65536", "unreadable"],
  ["127.0.0.1:9464/admin", "unreadable"],
  ["http://127.0.0.1:9464", "unreadable"],
  ["::1:9464", "unreadable"],
  [9464, "unreadable"],
  [["127.0.0.1:9464"], "unreadable"],
])("an instance that announces %j is %s", async (address, want) => {
  const { targets } = targetsOf([pageOf([run("a", address)])]);
  const listed = await targets.list();
  expect(listed).toHaveLength(want === "listed" ? 1 : 0);
  const none = { listed: 0, outside: 0, unreadable: 0 };
  expect(targets.counts).toEqual({ ...none, [want]: 1 });
});

test("networks that were allowed are handed out", async () => {
  const { targets } = targetsOf(
    [pageOf([run("a", "10.0.0.7:9464"), run("b", "192.0.2.1:1")])],
    ["private", "192.0.2.0/24"],
  );
  expect(await targets.list()).toHaveLength(2);
});

test("of two runs with one address the one seen last has it: the other died", async () => {
  const { targets } = targetsOf([
    pageOf([run("new", "127.0.0.1:9464"), run("old", "127.0.0.1:9464")]),
  ]);
  const listed = await targets.list();
  expect(listed.map(({ labels }) => labels.clew_run_id)).toEqual(["new"]);
});
