import { isTransactionId } from "@clew/instrumentation/transaction-id";
import type { Hono } from "hono";
import { ClewError } from "../errors.ts";
import { RECORD_KINDS, type StoredRecord, TRANSACTION_STATUSES, type Verdict } from "../record.ts";
import type { Page, RecordFilter, StoreReader, TransactionSummary } from "../store/store.ts";
import { withDeadline } from "./deadline.ts";
import { STEPS_MAX } from "./derive-steps.ts";
import { given, invalidParameter, Parameters } from "./parameters.ts";
import { VIEW_SPANS_MAX, viewTransaction, viewTransactionDetail } from "./transaction-view.ts";

/** The store has bounds of its own, far below; this is for one that does not answer at all. */
export const QUERY_MS_MAX = 35_000;

const PAGE_RECORDS = 1000;
/** A step tells of itself four times at most: begun, ended, and both once more when undone. */
const VIEW_EVENTS_MAX = 4 * STEPS_MAX;
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
    const { records, isCut } = await recordsForHops(reader, summary);
    const told = await recordsForSteps(reader, summary);
    const found = { summary, records, events: told.records, isCut: isCut || told.isCut };
    return c.json(viewTransactionDetail(found));
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
function recordsForHops(reader: StoreReader, summary: TransactionSummary): Promise<SomeRecords> {
  const { transactionId } = summary;
  if (summary.spans === 0) {
    return firstRecords(reader, { transactionId, kind: "log", limit: PAGE_RECORDS });
  }
  return firstRecords(reader, { transactionId, kind: "span", limit: VIEW_SPANS_MAX });
}

/** What was told of steps; most transactions have none, and the store is not asked then. */
async function recordsForSteps(
  reader: StoreReader,
  { transactionId, events }: TransactionSummary,
): Promise<SomeRecords> {
  if (events === 0) return { records: [], isCut: false };
  return firstRecords(reader, { transactionId, eventsOnly: true, limit: VIEW_EVENTS_MAX });
}

interface SomeRecords {
  readonly records: readonly StoredRecord[];
  readonly isCut: boolean;
}

/** So many of the transaction's records as the filter says, however many pages that takes. */
async function firstRecords(reader: StoreReader, filter: RecordFilter): Promise<SomeRecords> {
  const records: StoredRecord[] = [];
  let cursor: string | null = null;
  do {
    const limit = Math.min(PAGE_RECORDS, filter.limit - records.length);
    const page: Page<StoredRecord> = await ask(
      reader.transactionRecords({ ...filter, ...given("cursor", cursor ?? undefined), limit }),
    );
    records.push(...page.items);
    if (page.isCut) return { records, isCut: true };
    cursor = page.items.length > 0 ? page.cursor : null;
  } while (cursor !== null && records.length < filter.limit);
  return { records, isCut: cursor !== null };
}

function checkId(id: string): string {
  if (isTransactionId(id)) return id;
  const allowed = "a letter or digit, then up to 63 of A-Z a-z 0-9 . _ : -";
  throw invalidParameter({ name: "id", value: id, allowed });
}
