import { isTransactionId } from "@clew/instrumentation/transaction-id";
import { readClientConfig } from "../config.ts";
import { ClewError } from "../errors.ts";
import type { TransactionDetail } from "../query/transaction-view.ts";
import type { StoredRecord } from "../record.ts";
import { trustCertificates } from "../tls-files.ts";
import { describeTransaction } from "./describe-transaction.ts";
import { QueryClient } from "./query-client.ts";
import { safeLine } from "./safe-text.ts";
import type { Terminal } from "./terminal.ts";
import { parseCommandLine, wrongUsage } from "./usage-error.ts";

const LOGS_DEFAULT = 1000;
const LOGS_MAX = 1_000_000;
const PAGE_RECORDS = 1000;

/** `clew find <transaction-id>`: exit code 0 found, 1 nothing known. */
export async function find(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseCommandLine({
    command: "find",
    args,
    positionalsMax: 1,
    options: { json: { type: "boolean" }, url: { type: "string" }, limit: { type: "string" } },
  });
  const id = positionals[0]?.trim();
  if (!id) throw wrongUsage("find", "the transaction ID is missing");
  if (!isTransactionId(id)) throw wrongUsage("find", `"${safeLine(id)}" is no transaction ID`);
  const logsMax = readLimit(values.limit);
  const config = readClientConfig();
  trustCertificates(config.trusted);
  const client = new QueryClient({ url: values.url, config });
  const detail = await findDetail(client, id);
  if (!detail) {
    if (values.json) terminal.print(JSON.stringify(null));
    terminal.note(`cannot find transaction ${id}: no record of the days kept carries this ID`);
    return 1;
  }
  const { records, hasMore } = await readLogs(client, { id, logsMax });
  if (values.json) terminal.print(JSON.stringify({ ...detail, records, hasMore }, null, 2));
  else terminal.print(describeTransaction({ detail, records, hasMore }, terminal));
  return 0;
}

async function findDetail(client: QueryClient, id: string): Promise<TransactionDetail | undefined> {
  try {
    return await client.ask<TransactionDetail>({ path: `/transactions/${encodeURIComponent(id)}` });
  } catch (error) {
    if (error instanceof ClewError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

async function readLogs(
  client: QueryClient,
  { id, logsMax }: { id: string; logsMax: number },
): Promise<{ records: StoredRecord[]; hasMore: boolean }> {
  const records: StoredRecord[] = [];
  let cursor: string | null = null;
  do {
    const limit = Math.min(PAGE_RECORDS, logsMax - records.length);
    const page: { records: StoredRecord[]; cursor: string | null } = await client.ask({
      path: `/transactions/${encodeURIComponent(id)}/records`,
      parameters: { kind: "log", limit: String(limit), cursor: cursor ?? undefined },
    });
    records.push(...page.records);
    cursor = page.records.length > 0 ? page.cursor : null;
  } while (cursor !== null && records.length < logsMax);
  return { records, hasMore: cursor !== null };
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return LOGS_DEFAULT;
  const limit = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > LOGS_MAX) {
    throw wrongUsage("find", `--limit ${safeLine(text)} is no number from 1 to ${LOGS_MAX}`);
  }
  return limit;
}
