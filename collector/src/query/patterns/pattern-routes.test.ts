import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { afterEach, beforeEach, expect, it } from "vitest";
import { batchOf, logRecord, NOON_NS, SECOND_NS } from "../../../test/record-fixtures.ts";
import { ClewError, toClewError } from "../../errors.ts";
import { openEmbeddedStoreReader } from "../../store/embedded/embedded-store-reader.ts";
import { openEmbeddedStoreWriter } from "../../store/embedded/embedded-store-writer.ts";
import type { StoreReader, StoreWriter } from "../../store/store.ts";
import { respondWithProblem } from "../problem.ts";
import { addPatternRoutes } from "./pattern-routes.ts";

const HOUR_NS = 3600n * SECOND_NS;

let dir: string;
let writer: StoreWriter;
let reader: StoreReader;
let nowMs = 0;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "clew-patterns-"));
  writer = await openEmbeddedStoreWriter({ dir });
  reader = openEmbeddedStoreReader({ dir });
  nowMs = 0;
});

afterEach(async () => {
  await reader.stop();
  await writer.stop();
  rmSync(dir, { recursive: true, force: true });
});

it("tells the patterns of the last hour, and which of them are new", async () => {
  await write([
    ...logs(30, (i) => ({ text: `order ${i} accepted for ${i}`, transactionId: `T-${i % 7}` })),
    ...logs(10, (i) => ({ text: `card ${i} declined`, severityNumber: 17, service: "payments" })),
    ...logs(2, () => ({ text: "hello", severityNumber: 13 })),
    ...logs(3, (i) => ({ text: `order ${i} accepted for ${i}` }), -HOUR_NS),
    ...logs(1, () => ({ text: "card 1 declined twice" }), -HOUR_NS),
    ...logs(1, () => ({ text: "card 1 declined" }), -3n * HOUR_NS),
  ]);
  const { body } = await get("/logs/patterns");
  expect(body).toMatchObject({ records: 42, patternCount: 3, others: 0, isCut: false });
  expect(body).toMatchObject({
    from: "2026-03-01T11:00:00.000000000Z",
    to: "2026-03-01T12:00:00.000000000Z",
  });
  const [orders, cards, hello] = body.patterns;
  expect(orders).toMatchObject({
    ...{ template: "order <*> accepted for <*>", count: 30, isNew: false },
    ...{ services: ["orders"], severities: { unset: 30 }, share: 30 / 42 },
    example: { message: "order 0 accepted for 0" },
    firstSeenAt: "2026-03-01T11:59:59.999999970Z",
    lastSeenAt: "2026-03-01T11:59:59.999999999Z",
  });
  expect(orders?.transactionIds).toEqual(["T-0", "T-1", "T-2", "T-3", "T-4"]);
  expect(cards).toMatchObject({ template: "card <*> declined", isNew: true, count: 10 });
  expect(cards).toMatchObject({ services: ["payments"], severities: { error: 10 } });
  expect(hello).toMatchObject({ template: "hello", isNew: true, severities: { warn: 2 } });
});

it("takes the filters of the other routes, and a limit", async () => {
  await write([
    ...logs(3, (i) => ({ text: `order ${i} accepted`, attributes: { "user.id": BigInt(i) } })),
    ...logs(2, (i) => ({ text: `card ${i} declined`, severityNumber: 17, service: "payments" })),
    ...logs(1, () => ({ text: "order 1 accepted" }), -HOUR_NS),
  ]);
  const templates = async (query: string) =>
    (await get(`/logs/patterns?${query}`)).body.patterns.map(({ template }) => template);
  expect(await templates("service=payments")).toEqual(["card <*> declined"]);
  expect(await templates("severity=error")).toEqual(["card <*> declined"]);
  expect(await templates("q=user.id:>0")).toEqual(["order <*> accepted"]);
  expect(await templates("q=-order+or+accepted&limit=1")).toEqual(["order <*> accepted"]);
  const { body } = await get("/logs/patterns?q=user.id:>0");
  expect(body.patterns[0]).toMatchObject({ count: 2, isNew: true });
  const window = "from=2026-03-01T10:59:00Z&to=2026-03-01T11:00:00Z";
  expect((await get(`/logs/patterns?${window}`)).body).toMatchObject({ records: 1 });
  expect((await get("/logs/patterns?from=2026-03-01T09:00:00Z")).body.records).toBe(6);
});

it("says when it was cut, and then does not call new what it could not look for", async () => {
  await write(logs(1500, (i) => ({ text: `order ${i} accepted` })));
  nowMs = Number.NaN;
  const slow = { nowMs: () => (nowMs = Number.isNaN(nowMs) ? 0 : nowMs + 6000) };
  const { body } = await get("/logs/patterns", slow);
  expect(body).toMatchObject({ records: 1000, isCut: true });
  expect(body.patterns[0]).toMatchObject({ count: 1000, isNew: null });
});

it("refuses what it cannot read", async () => {
  const refused = async (query: string) => (await get(`/logs/patterns?${query}`)).status;
  expect(await refused("q=(a")).toBe(400);
  expect(await refused("cursor=x")).toBe(400);
  expect(await refused("limit=0")).toBe(400);
  expect(await refused("from=2027-03-01T10:59:00Z")).toBe(400);
  expect(await refused("from=2026-03-01T10:59:00Z&to=2026-02-01T10:59:00Z")).toBe(400);
});

type Given = NonNullable<Parameters<typeof logRecord>[1]>;
let written = 0;

/** Each a nanosecond older than the one before, the first just before noon. */
function logs(count: number, fixture: (i: number) => Given, shiftNs = 0n) {
  return Array.from({ length: count }, (_, i) =>
    logRecord(`r${written++}`, { ...fixture(i), timeNs: NOON_NS - 1n - BigInt(i) + shiftNs }),
  );
}

async function write(records: ReturnType<typeof logs>): Promise<void> {
  await writer.write(batchOf(records));
}

interface Body {
  readonly records: number;
  readonly patterns: readonly { template: string; transactionIds: string[] }[];
}

async function get(path: string, { nowMs = () => 0 }: { nowMs?: () => number } = {}) {
  const app = new Hono();
  app.onError((error) => {
    expect(error).toBeInstanceOf(ClewError);
    return respondWithProblem(toClewError(error));
  });
  addPatternRoutes(app, reader, { nowNs: () => NOON_NS, nowMs });
  const response = await app.request(path);
  return { status: response.status, body: (await response.json()) as Body };
}
