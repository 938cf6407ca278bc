import { expect, it } from "vitest";
import { walkOtlp } from "../../../collector/src/otlp/otlp-walk.ts";
import { viewRequests, viewTransactionId } from "./view-requests.ts";

const SHAPES = [
  { records: 1, transactions: 3, lookups: 1 },
  { records: 100, transactions: 2, lookups: 1 },
  { records: 10_000, transactions: 1, lookups: 1 },
];

it("makes as many records as the shapes say, one in ten a span", () => {
  const requests = viewRequests({ runId: "run", shapes: SHAPES, startNs: 1_700_000_000n });
  const total = { logs: 0, traces: 0 };
  for (const { signal, records, body } of requests) {
    expect(walkOtlp(signal, body)).toBe(records);
    expect(records).toBeLessThanOrEqual(1000);
    total[signal] += records;
  }
  expect(total).toEqual({ logs: 3 + 2 * 90 + 9000, traces: 2 * 10 + 1000 });
});

it("names each span of its own, for a name that comes twice would be stored once", () => {
  const ids = viewRequests({ runId: "run", shapes: SHAPES.slice(1), startNs: 1n })
    .filter(({ signal }) => signal === "traces")
    .flatMap(({ body }) => body.toString("hex").match(/0a10[0-9a-f]{32}1208[0-9a-f]{16}/g) ?? []);
  expect(ids).toHaveLength(2 * 10 + 1000);
  expect(new Set(ids).size).toBe(ids.length);
});

it("names each record, and its transaction", () => {
  const [, hundred] = SHAPES;
  const shapes = hundred === undefined ? [] : [hundred];
  const text = viewRequests({ runId: "run", shapes, startNs: 1n })
    .map(({ body }) => body.toString("latin1"))
    .join("");
  expect(new Set(text.match(/run-view-100-[01]-\d+/g)).size).toBe(2 * 90);
  for (const shape of shapes) expect(text).toContain(viewTransactionId("run", shape, 1));
  expect(text).not.toContain("########");
});
