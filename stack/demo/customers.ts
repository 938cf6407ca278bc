/**
 * Plays customers: sends orders at a rate, up to a total, and says on stdout, one JSON line per
 * order, what it sent and which transaction ID it got back. It ends by itself, or after SIGTERM
 * once the orders under way were answered.
 */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { messageOf, StackError } from "../errors.ts";
import { CARD } from "./cards.ts";

const ITEMS = ["teapot", "lamp", "kite", "atlas", "drum"];
const ORDER_TIMEOUT_MS = 15_000;
const RETRY_DELAY_MS = 200;
const TRANSACTION_HEADER = "X-Transaction-ID";

interface LoadOptions {
  readonly url: string;
  readonly perSecond: number;
  readonly total: number;
  readonly concurrency: number;
  readonly retries: number;
  /** Known transaction IDs to send, one per order; empty: `orders` mints them. */
  readonly ids: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly transactionId: string | null;
  readonly error: string | null;
}

try {
  await playCustomers(parseOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof StackError ? error.exitCode : 1;
}

async function playCustomers(options: LoadOptions): Promise<void> {
  const stopping = new AbortController();
  process.once("SIGTERM", () => stopping.abort());
  const underWay = new Set<Promise<void>>();
  const tally = { sent: 0, completed: 0, failed: 0, unanswered: 0 };
  say({ event: "ready" });
  const startedMs = performance.now();
  for (let number = 1; number <= options.total && !stopping.signal.aborted; number++) {
    const dueMs = startedMs + ((number - 1) * 1000) / options.perSecond;
    await pause(dueMs - performance.now(), stopping.signal);
    if (stopping.signal.aborted) break;
    tally.sent++;
    const order = sendOrder(options, number).then((answer) => {
      underWay.delete(order);
      if (answer.status === 0) tally.unanswered++;
      else if (answer.status === 201) tally.completed++;
      else tally.failed++;
      say({ event: "order", number, ...answer });
    });
    underWay.add(order);
    if (underWay.size >= options.concurrency) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  say({ event: "done", ...tally });
}

/** One order; answers with status 0 where nobody did, after the retries that were asked for. */
async function sendOrder(options: LoadOptions, number: number): Promise<Answer> {
  const id = options.ids[number - 1];
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await fetch(`${options.url}/orders`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(id ? { [TRANSACTION_HEADER]: id } : {}),
        },
        body: JSON.stringify(orderOf(number)),
        signal: AbortSignal.timeout(ORDER_TIMEOUT_MS),
      });
      await response.arrayBuffer();
      const transactionId = response.headers.get(TRANSACTION_HEADER);
      return { status: response.status, transactionId, error: null };
    } catch (error) {
      const answer = { status: 0, transactionId: id ?? null, error: messageOf(error) };
      if (attempt >= options.retries) return answer;
      await delay(RETRY_DELAY_MS);
    }
  }
}

/** The same order for the same number, so that a run can be repeated. */
function orderOf(number: number): Record<string, string | number> {
  const item = ITEMS[number % ITEMS.length] as string;
  return {
    customer: `customer-${number % 97}`,
    item,
    amountCents: 500 + ((number * 7919) % 20_000),
    card: cardOf(number),
  };
}

/** One in ten is declined, the first at once, to be shown; one in ten times out once. */
function cardOf(number: number): string {
  if (number % 10 === 1) return CARD.declined;
  return number % 10 === 3 ? CARD.timesOutOnce : CARD.accepted;
}

/** Waits, or until `signal` aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function parseOptions(args: readonly string[]): LoadOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      url: { type: "string", default: "http://127.0.0.1:4341" },
      rate: { type: "string", default: "2" },
      total: { type: "string", default: "1000" },
      concurrency: { type: "string", default: "32" },
      retries: { type: "string", default: "0" },
      "ids-file": { type: "string" },
    },
  });
  const ids = values["ids-file"] ? readIds(values["ids-file"]) : [];
  return {
    url: values.url,
    perSecond: positive("--rate", values.rate),
    total: ids.length || positive("--total", values.total),
    concurrency: positive("--concurrency", values.concurrency),
    retries: Number(values.retries),
    ids,
  };
}

function readIds(file: string): readonly string[] {
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "");
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new StackError(
    "OPTION_INVALID",
    `cannot send orders: ${option} ${text} is no rate or count`,
  );
}
