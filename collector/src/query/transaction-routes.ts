import { isTransactionId } from "@clew/instrumentation/transaction-id";
import type { Hono } from "hono";
import { ClewError } from "../errors.ts";
import { RECORD_KINDS, type StoredRecord } from "../record.ts";
import type { Page, RecordFilter, StoreReader, TransactionSummary } from "../store/store.ts";
import { ask } from "./ask-store.ts";
import { viewDeadLettersOf } from "./dead-letters/transaction-letters.ts";
import { STEPS_MAX } from "./derive-steps.ts";
import { LIST_PARAMETERS, TransactionList } from "./list-transactions.ts";
import { given, invalidParameter, Parameters } from "./parameters.ts";
import { VIEW_SPANS_MAX, viewTransactionDetail } from "./transaction-view.ts";
import { VerdictSource, type VerdictSourceParts } from "./verdict/verdict-source.ts";

const PAGE_RECORDS = 1000;
/** A step tells of itself four times at most: begun, ended, and both once more when undone. */
const VIEW_EVENTS_MAX = 4 * STEPS_MAX;

export interface TransactionRoutesParts extends VerdictSourceParts {
  readonly reader: StoreReader;
}

/** `GET /transactions`, `/transactions/{id}`, `/transactions/{id}/records` (docs/api.md). */
export function addTransactionRoutes(app: Hono, parts: TransactionRoutesParts): void {
  const { reader } = parts;
  const verdicts = new VerdictSource(parts);
  const list = new TransactionList({ reader, verdicts });
  app.get("/transactions", async (c) => {
    const parameters = new Parameters(new URL(c.req.url).searchParams, LIST_PARAMETERS);
    return c.json(await list.answer(parameters));
  });
  app.get("/transactions/:id", async (c) => {
    new Parameters(new URL(c.req.url).searchParams, []);
    const id = checkId(c.req.param("id"));
    const busLag = await verdicts.findLag();
    const summary = await ask(reader.findTransaction(id));
    if (!summary) {
      throw new ClewError("NOT_FOUND", `cannot show transaction ${id}: no record carries this ID`);
    }
    const { records, isCut } = await recordsForHops(reader, summary);
    const told = await recordsForSteps(reader, summary);
    const spans = records.filter(({ span }) => span !== null);
    const areSpansCut = isCut && summary.spans > 0;
    const judged = verdicts.judge({ summary, spans, isCut: areSpansCut, busLag });
    const judgement = await ask(judged);
    const letters = await ask(viewDeadLettersOf(reader, id));
    const found = { summary, judgement, records, events: told.records, ...letters };
    const isAnyCut = isCut || told.isCut || letters.isCut;
    return c.json(viewTransactionDetail({ ...found, isCut: isAnyCut }));
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
