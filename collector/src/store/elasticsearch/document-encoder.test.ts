import { describe, expect, test } from "vitest";
import { hostileLog, hostileResource, hostileSpan } from "../../../test/hostile-payload.ts";
import {
  logRecord,
  NOON_NS,
  resourceBytes,
  SECOND_NS,
  spanRecord,
} from "../../../test/record-fixtures.ts";
import { SeededRandom } from "../../../test/seeded-random.ts";
import type { IncomingRecord, StoredRecord } from "../../record.ts";
import { parseRunReport } from "../embedded/run-report-row.ts";
import { readResource, readScopeName, toStoredRecord } from "../embedded/stored-record.ts";
import { wordsOf } from "../query-language/words.ts";
import { indexAttributes } from "./document-attributes.ts";
import { DocumentEncoder } from "./document-encoder.ts";
import { JsonBuffer } from "./json-buffer.ts";
import { storedTimeNs } from "./json-time.ts";
import { toStoredRecord as readBack } from "./reader/source-record.ts";

const NOW_MS = 1_772_366_400_000;
const SEEDS = [1, 2, 3];
const RECORDS_PER_SEED = 700;

/** As it goes to Elasticsearch, with the fields that are searched only. */
function encode(record: IncomingRecord) {
  const out = new JsonBuffer(64);
  const encoder = new DocumentEncoder({ nowMs: () => NOW_MS });
  encoder.begin();
  encoder.encode(out, record);
  encoder.end();
  const [action = "", source = "", ...rest] = out.view().toString("utf8").split("\n");
  expect(rest).toEqual([""]);
  const document = JSON.parse(source);
  return { id: JSON.parse(action).create._id, source: document, text: source };
}

/** What the embedded store gives, after a passage through JSON, which knows no -0. */
function embedded(record: IncomingRecord): StoredRecord {
  const stored = toStoredRecord({
    ...record,
    timeNs: storedTimeNs(record.timeNs),
    receivedNs: storedTimeNs(record.receivedNs),
    service: record.service.toWellFormed(),
    resource: readResource(record.resource),
    scope: readScopeName(record.scope),
  });
  return JSON.parse(JSON.stringify(stored));
}

function expectSame(record: IncomingRecord): void {
  const { id, source } = encode(record);
  expect(readBack({ id, source } as Parameters<typeof readBack>[0])).toEqual(embedded(record));
}

describe("the document gives the record that the embedded store gives", () => {
  for (const seed of SEEDS) {
    test(`of hostile messages, seed ${seed}`, () => {
      const random = new SeededRandom(seed);
      for (let n = 0; n < RECORDS_PER_SEED; n++) {
        const isLog = random.oneIn(2);
        const made = isLog ? logRecord(`r${n}`) : spanRecord(`r${n}`);
        const payload = isLog ? hostileLog(random) : hostileSpan(random);
        const record = { ...made, payload, resource: hostileResource(random) };
        try {
          expectSame(record);
          expectSearchable(record);
        } catch (error) {
          throw new Error(`record ${n}: ${payload.toString("hex").slice(0, 4000)}`, {
            cause: error,
          });
        }
      }
    });
  }
});

/** What is indexed besides: the same, whichever way the attributes were written. */
function expectSearchable(record: IncomingRecord): void {
  const { source } = encode(record);
  const own = indexAttributes(embedded(record).attributes);
  const resource = indexAttributes(embedded(record).resource);
  expect(source.attributes ?? {}).toEqual(JSON.parse(JSON.stringify(own.indexed)));
  expect(toLists(source.numbers ?? {})).toEqual(Object.fromEntries(own.numbers));
  const paths = [
    ...resource.unindexed.map((path) => `resource.attributes.${path}`),
    ...own.unindexed.map((path) => `attributes.${path}`),
  ];
  expect(new Set(source.clew.unindexed ?? [])).toEqual(new Set(paths));
}

function toLists(numbers: Record<string, string | string[]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(numbers).map(([path, hex]) => [path, [hex].flat()]));
}

describe("beside what is shown, a document says", () => {
  test("who and what it is, and nothing of what is not there", () => {
    const { id, source } = encode(logRecord('qu"ote\n', { text: "Hello, World" }));
    expect(id).toBe('qu"ote\n');
    expect(source).toEqual({
      "@timestamp": "2026-03-01T12:00:00.000000000Z",
      message: "Hello, World",
      words: "hello  world",
      service: { name: "orders" },
      resource: { attributes: { "service.name": "orders" } },
      scope: { name: "fixture" },
      clew: {
        kind: "log",
        received: "2026-03-01T12:00:00.000000000Z",
        end: "2026-03-01T12:00:00.000000000Z",
        order: NOW_MS * 1000,
      },
    });
  });

  test("all that it says of its transaction and its run", () => {
    const { source } = encode(
      spanRecord("s", {
        ...{ transactionId: "t-1", traceId: "a".repeat(32), spanId: "b".repeat(16) },
        ...{ parentSpanId: "c".repeat(16), durationNs: 1_500_000n, isError: true, isEntry: true },
        ...{ transactionStatus: "failed", deadlineNs: NOON_NS + SECOND_NS, spanKind: 2 },
        ...{ runId: "run", sequence: 7, numberedNs: NOON_NS + 1n, text: "GET /orders" },
      }),
    );
    expect(source).toMatchObject({
      ...{ transaction_id: "t-1", trace_id: "a".repeat(32), span_id: "b".repeat(16) },
      parent_span_id: "c".repeat(16),
      span: { kind: "server", name: "GET /orders", duration: 1_500_000, status: "error" },
      clew: {
        ...{ kind: "span", end: "2026-03-01T12:00:00.001500000Z", duration_bucket: 85 },
        ...{ error: true, entry: true, status: "failed", run: { id: "run" }, sequence: 7 },
        deadline: "2026-03-01T12:00:01.000000000Z",
        numbered: "2026-03-01T12:00:00.000000001Z",
      },
    });
    const flags = { isTransactionEvent: true, isAfterSpan: true, severityNumber: 17 };
    expect(encode(logRecord("l", flags)).source).toMatchObject({
      severity_number: 17,
      clew: { event: true, after_span: true, error: true },
    });
  });

  test("the report of a run, whole and in fields", () => {
    const report = {
      ...{ runId: "run", service: "orders", instanceId: "i", host: "h", pid: 1, isFinal: true },
      ...{ firstSeenNs: NOON_NS, lastSeenNs: NOON_NS + 1n },
      figures: { "clew.report.logs.emitted": 9 },
    };
    const { source } = encode(logRecord("r", { report, runId: "run" }));
    expect(source.clew).toMatchObject({
      report: true,
      run: {
        id: "run",
        service: "orders",
        final: true,
        last_seen: "2026-03-01T12:00:00.000000001Z",
      },
    });
    expect(parseRunReport(source.clew.run.report)).toEqual(report);
    expect(encode(logRecord("l", { runId: "run" })).source.clew.run).toEqual({ id: "run" });
  });

  test("its place in the order of writing, also over a carry and a clock that goes back", () => {
    let nowMs = 1_772_366_399_999;
    const encoder = new DocumentEncoder({ nowMs: () => nowMs });
    const out = new JsonBuffer(64);
    const orders: number[] = [];
    for (const count of [1001, 2]) {
      out.length = 0;
      encoder.begin();
      for (let n = 0; n < count; n++) encoder.encode(out, logRecord("a"));
      const lines = out.view().toString().trimEnd().split("\n");
      for (const line of lines.filter((_, at) => at % 2 === 1)) {
        orders.push(JSON.parse(line).clew.order);
      }
      nowMs -= 5;
    }
    const first = 1_772_366_399_999_000;
    expect(orders).toEqual(Array.from({ length: 1003 }, (_, n) => first + n));
  });

  test("the words of what search reads, which may be more than the message", () => {
    const words = (text: string, body?: string) =>
      String(encode(logRecord("w", { text, body: body ?? text })).source.words ?? "")
        .split(" ")
        .filter((word) => word !== "")
        .join(" ");
    const texts = [
      ...["", "...", "One, two", "Grüße aus Köln", "日本語 text", "a".repeat(300)],
      ...[
        `${"b".repeat(255)} ${"c".repeat(256)}`,
        `${"d ".repeat(200)}${"e".repeat(400)}`,
        'a"b\\c',
      ],
      ...["\u{1f600}", "x".repeat(40_000), "tab\tnew\nline", "\0nul"],
    ];
    for (const text of texts) expect(words(text)).toBe(wordsOf(text));
    expect(words("failed\nTypeError: no", "failed")).toBe("failed typeerror no");
    expect(words("12345", "54321")).toBe("12345");
  });
});

test("resources are written once, and told apart by all that is written of them", () => {
  const encoder = new DocumentEncoder({ nowMs: () => NOW_MS });
  const out = new JsonBuffer(64);
  const records = [
    logRecord("a"),
    logRecord("b", { service: "other" }),
    logRecord("c", { resource: resourceBytes({ "service.name": "third" }) }),
    logRecord("d", { resourceSchemaUrl: "https://schema" }),
    logRecord("e", { runId: "run" }),
    logRecord("f", { receivedNs: NOON_NS + 1n }),
    spanRecord("g"),
    logRecord("h", { service: "cut\ud83d" }),
    logRecord("a"),
  ];
  for (const record of records) {
    out.length = 0;
    encoder.encode(out, record);
    const [, line = ""] = out.view().toString().split("\n");
    expect(JSON.parse(line)).toEqual({
      ...encode(record).source,
      clew: { ...encode(record).source.clew, order: expect.any(Number) },
    });
  }
});
