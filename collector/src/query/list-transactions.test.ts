import { expect, test } from "vitest";
import { ledgerOf, logsOf, summaryOf } from "../../test/verdict-fixture.ts";
import type { TransactionFilter, TransactionSummary } from "../store/store.ts";
import {
  LIST_PARAMETERS,
  TransactionList,
  type TransactionListParts,
} from "./list-transactions.ts";
import { Parameters } from "./parameters.ts";
import { VerdictSource, type VerdictSourceParts } from "./verdict/verdict-source.ts";

const NO_LAG = { messages: 0, records: 0, seconds: 0 };
const EMPTY = { items: [], cursor: null, isCut: false };
const TRANSACTIONS = 5000;

type Reader = VerdictSourceParts["reader"] & TransactionListParts["reader"];

/** Transactions of one log record each; of every hundredth the store knows of one that is gone. */
function newList({ transactions = TRANSACTIONS } = {}) {
  const pages: number[] = [];
  const summaries = Array.from({ length: transactions }, (_, i): TransactionSummary => {
    const logs = i % 100 === 7 ? 2 : 1;
    return summaryOf({ transactionId: `t-${i}`, logs });
  });
  const listTransactions = async ({ cursor, limit }: TransactionFilter) => {
    const from = Number(cursor ?? 0);
    const items = summaries.slice(from, from + limit);
    pages.push(items.length);
    const next = from + items.length;
    return { items, cursor: next < summaries.length ? String(next) : null, isCut: false };
  };
  const reader: Reader = {
    listTransactions,
    transactionRecords: async () => EMPTY,
    countSpanLogs: async () => ({ items: [logsOf({ traceId: "", spanId: "" })], isCut: false }),
    ledgers: async () => [ledgerOf("orders")],
    deadLetters: async () => EMPTY,
    services: async () => [],
    traceSpans: async () => EMPTY,
    sourcedSpans: async () => EMPTY,
  };
  const nowNs = () => 1_772_369_999_000_000_000n;
  const verdicts = new VerdictSource({ reader, busLag: async () => NO_LAG, nowNs });
  const list = new TransactionList({ reader, verdicts });
  const ask = (query: string) =>
    list.answer(new Parameters(new URLSearchParams(query), LIST_PARAMETERS));
  return { ask, pages };
}

const idsOf = ({ transactions }: { transactions: readonly { transactionId: string }[] }) =>
  transactions.map(({ transactionId }) => transactionId);

test("a page has the verdict of each of its transactions", async () => {
  const { transactions, cursor } = await newList().ask("limit=10");
  expect(transactions.map(({ verdict }) => verdict)).toEqual(
    Array.from({ length: 10 }, (_, i) => (i === 7 ? "unknown" : "complete")),
  );
  expect(cursor).toBe("10");
});

test("those with one verdict, over pages, none left out and none twice", async () => {
  const { ask } = newList({ transactions: 1000 });
  const found: string[] = [];
  let query = "verdict=unknown&limit=3";
  for (let pages = 0; pages < 10; pages++) {
    const answer = await ask(query);
    expect(answer.isCut).toBe(false);
    expect(answer.transactions.length).toBeLessThanOrEqual(3);
    found.push(...idsOf(answer));
    if (answer.cursor === null) break;
    query = `verdict=unknown&limit=3&cursor=${answer.cursor}`;
  }
  expect(found).toEqual(Array.from({ length: 10 }, (_, i) => `t-${i * 100 + 7}`));
});

test("a search that finds little is cut, and says where to go on", async () => {
  const { ask, pages } = newList();
  const answer = await ask("verdict=incomplete&limit=100");
  expect(answer).toEqual({ transactions: [], cursor: "2000", isCut: true });
  expect(Math.max(...pages)).toBeLessThanOrEqual(100);
});

test("nothing left is the end, not a cut", async () => {
  const answer = await newList({ transactions: 50 }).ask("verdict=incomplete");
  expect(answer).toEqual({ transactions: [], cursor: null, isCut: false });
});
