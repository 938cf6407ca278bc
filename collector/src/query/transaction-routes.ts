import { isTransactionId } from "@clew/instrumentation/transaction-id";
import type { Hono } from "hono";
import { ClewError } from "../errors.ts";
import { RECORD_KINDS, type StoredRecord, TRANSACTION_STATUSES, type Verdict } from "../record.ts";
import type { StoreReader, TransactionSummary } from "../store/store.ts";
import { withDeadline } from "./deadline.ts";
import { given, invalidParameter, Parameters } from "./parameters.ts";
import { VIEW_SPANS_MAX, viewTransaction, viewTransactionDetail } from "./transaction-view.ts";

/** The store has bounds of its own, far below; this is for one that does not answer at all. */
export const QUERY_MS_MAX = 35_000;

const PAGE_RECORDS = 1000;
const VERDICTS: readonly Verdict[] = ["complete", "in-flight", "incomplete", "unknown"];
const LIST_PARAMETERS = [
  "service",
  "operation",
  "status",
  "verdict",
  "minDurationMs",
  "from",
  "to",
  "q",
  "cursor",
  "limit",
];

/** `GET /transactions`, `/transactions/{id}`, `/transactions/{id}/records` (docs/api.md). */
export function addTransactionRoutes(app: Hono, reader: StoreReader): void {
  app.get("/transactions", async (c) => {
    const parameters = new Parameters(new URL(c.req.url).searchParams, LIST_PARAMETERS);
    return c.json(await listTransactions(reader, parameters));
  });
  app.get("/transactions/:id", async (c) => {
    new Parameters(new URL(c.req.url).searchParams, []);
    const id = checkId(c.req.param("id"));
    const summary = await ask(reader.findTransaction(id));
    if (!summary) {
      throw new ClewError("NOT_FOUND", `cannot show transaction ${id}: no record carries this ID`);
    }
    return c.json(viewTransactionDetail({ summary, ...(await recordsForHops(reader, summary)) }));
  });
  app.get("/transactions/:id/records", async (c) => {
    const known = ["kind", "service", "severity", "cursor", "limit"];
    const parameters = new Parameters(new URL(c.req.url).searchParams, known);
    const page = await ask(
      reader.transactionRecords({
        transactionId: checkId(c.req.param("id")),
        ...given("kind", parameters.oneOf("kind", RECORD_KINDS)),
        ...given("service", parameters.text("service")),
        ...given("minSeverityNumber", parameters.severity()),
        ...given("cursor", parameters.text("cursor")),
        limit: parameters.limit(),
      }),
    );
    return c.json({ records: page.items, cursor: page.cursor, isCut: page.isCut });
  });
}

/** Any promise of the store, with the deadline of a query. */
export function ask<T>(answer: Promise<T>): Promise<T> {
  const deadline = { ms: QUERY_MS_MAX, code: "STORE_UNAVAILABLE", what: "ask the store" } as const;
  return withDeadline(answer, deadline);
}

async function listTransactions(reader: StoreReader, parameters: Parameters): Promise<object> {
  const verdict = parameters.oneOf("verdict", VERDICTS);
  const filter = {
    ...given("service", parameters.text("service")),
    ...given("operation", parameters.text("operation")),
    ...given("status", parameters.oneOf("status", TRANSACTION_STATUSES)),
    ...given("minDurationMs", parameters.milliseconds("minDurationMs")),
    ...parameters.window(),
    ...given("query", parameters.text("q")),
    ...given("cursor", parameters.text("cursor")),
    limit: parameters.limit(),
  };
  // Every verdict is `unknown` until participants report counts, so no other can be found.
  if (verdict !== undefined && verdict !== "unknown") {
    return { transactions: [], cursor: null, isCut: false };
  }
  const page = await ask(reader.listTransactions(filter));
  return {
    transactions: page.items.map(viewTransaction),
    cursor: page.cursor,
    isCut: page.isCut,
  };
}

/** All spans up to the bound; where there are none the first logs, for their trace IDs. */
async function recordsForHops(
  reader: StoreReader,
  summary: TransactionSummary,
): Promise<{ records: readonly StoredRecord[]; isCut: boolean }> {
  const records: StoredRecord[] = [];
  const kind = summary.spans > 0 ? "span" : "log";
  const recordsMax = kind === "span" ? VIEW_SPANS_MAX : PAGE_RECORDS;
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<StoreReader["transactionRecords"]>> = await ask(
      reader.transactionRecords({
        transactionId: summary.transactionId,
        kind,
        ...given("cursor", cursor ?? undefined),
        limit: Math.min(PAGE_RECORDS, recordsMax - records.length),
      }),
    );
    records.push(...page.items);
    if (page.isCut) return { records, isCut: true };
    cursor = page.items.length > 0 ? page.cursor : null;
  } while (cursor !== null && records.length < recordsMax);
  return { records, isCut: cursor !== null };
}

function checkId(id: string): string {
  if (isTransactionId(id)) return id;
  const allowed = "a letter or digit, then up to 63 of A-Z a-z 0-9 . _ : -";
  throw invalidParameter({ name: "id", value: id, allowed });
}
