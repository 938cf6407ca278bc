import type { StoredRecord, StoredSpan } from "../../../src/record.ts";

/** A log record for tests, with only what matters said. */
export function sampleLog(given: Partial<StoredRecord> = {}): StoredRecord {
  return {
    id: "run:1",
    kind: "log",
    time: "2026-11-21T03:04:05.000000000Z",
    receivedAt: "2026-11-21T03:04:05.100000000Z",
    transactionId: "order-7",
    traceId: null,
    spanId: null,
    parentSpanId: null,
    service: "orders",
    severityText: "INFO",
    severityNumber: 9,
    message: "order taken",
    body: null,
    isError: false,
    attributes: {},
    resource: {},
    scope: "",
    span: null,
    ...given,
  };
}

/** A span for tests, starting `startMs` after 1970. */
export function sampleSpan(
  given: Partial<StoredRecord> & { readonly startMs: number; readonly of?: Partial<StoredSpan> },
): StoredRecord {
  const { startMs, of, ...record } = given;
  return sampleLog({
    id: `span:${record.spanId ?? startMs}`,
    kind: "span",
    time: new Date(startMs).toISOString(),
    traceId: "0af7651916cd43dd8448eb211c80319c",
    severityText: "",
    severityNumber: 0,
    message: "POST /orders",
    span: {
      kind: "server",
      durationMs: 10,
      status: "unset",
      statusMessage: "",
      events: [],
      links: [],
      ...of,
    },
    ...record,
  });
}
