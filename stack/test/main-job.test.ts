import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ATTRIBUTE } from "@clew/instrumentation/names";
import { afterEach, expect, test, vi } from "vitest";
import { freshDataDir, LaunchedStack, REPOSITORY } from "./launched-stack.ts";
import { QueryApi, type ReadRecord, type ReadTransaction } from "./query-api.ts";

const ORDERS = 1000;
const CRASH_AFTER_ORDERS = 300;
const WHOLE_TEST_MS = 300_000;
const INDEXED_MS = 90_000;
const SERVICES = ["orders", "payments", "shipping"];

const toDispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const dispose of toDispose.splice(0).toReversed()) await dispose();
});

test("finds every record of 1000 orders, once, though the collector was killed", {
  timeout: WHOLE_TEST_MS,
}, async () => {
  const dataDir = freshDataDir();
  toDispose.push(dataDir.dispose);
  const ids = Array.from({ length: ORDERS }, (_, i) => `known-order-${i + 1}`);
  const stack = launch(dataDir.path, ["--json", "--no-load"]);
  const { pid } = await stack.waitFor("collector-ready");
  const { ordersPort } = await stack.waitFor("demo-ready");

  const answers = await sendOrders({
    ids,
    idsFile: join(dataDir.path, "ids"),
    ordersPort: Number(ordersPort),
    onAnswer: (count) => {
      if (count === CRASH_AFTER_ORDERS) process.kill(Number(pid), "SIGKILL");
    },
  });
  expect(answers.map(({ transactionId }) => transactionId).toSorted()).toEqual(ids.toSorted());
  for (const { number, status } of answers) expect(status).toBe(scenarioOf(number).status);
  await stack.waitFor("collector-restarted");
  expect(stack.events.filter(({ event }) => event === "collector-died")).toHaveLength(1);
  expect(await stack.interrupt()).toBe(true);

  const later = launch(dataDir.path, ["--json", "--no-demo"]);
  const api = new QueryApi(Number((await later.waitFor("collector-ready")).port));
  const logsWanted = ids.reduce((sum, _, i) => sum + logsOf(scenarioOf(i + 1)).length, 0);
  const logs = await vi.waitFor(
    async () => {
      const found = (await api.logs()).filter(isLine);
      expect(found.length).toBeGreaterThanOrEqual(logsWanted);
      return found;
    },
    { timeout: INDEXED_MS, interval: 500 },
  );
  expect(logs).toHaveLength(logsWanted);
  const records: ReadRecord[] = [];
  for (const [i, id] of ids.entries()) {
    const scenario = scenarioOf(i + 1);
    await vi.waitFor(async () => expectSaga(await api.findTransaction(id), scenario));
    const own = await api.recordsOf(id);
    records.push(...own);
    expectWhole(own, scenario);
  }
  expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
  expectGapless("span", records);
  expectGapless("log", await api.logsAndReports());
  expect(await later.interrupt()).toBe(true);
});

interface Scenario {
  readonly status: number;
  readonly logs: Readonly<Record<string, readonly RegExp[]>>;
  /** Server spans per service. */
  readonly served: Readonly<Record<string, number>>;
}

const ACCEPTED: Scenario = {
  status: 201,
  logs: {
    orders: [/^order received$/, /^order completed$/],
    payments: [/^charging \d+ cents$/, /^payment captured$/],
    shipping: [/^parcel kept ready: /, /^parcel dispatched: /],
  },
  served: { orders: 1, payments: 1, shipping: 2 },
};

const DECLINED: Scenario = {
  status: 402,
  logs: {
    orders: [/^order received$/, /^order failed: card declined$/],
    payments: [/^charging \d+ cents$/, /^card declined: /],
    shipping: [/^parcel kept ready: /, /^parcel cancelled: /],
  },
  served: { orders: 1, payments: 1, shipping: 2 },
};

const TIMED_OUT_ONCE: Scenario = {
  status: 201,
  logs: {
    orders: [/^order received$/, /^payment timed out, trying again$/, /^order completed$/],
    payments: [
      ...[/^charging \d+ cents$/, /^gateway timeout: /],
      ...[/^charging \d+ cents$/, /^payment captured$/],
    ],
    shipping: [/^parcel kept ready: /, /^parcel dispatched: /],
  },
  served: { orders: 1, payments: 2, shipping: 2 },
};

/** As `customers.ts` chooses cards. */
function scenarioOf(number: number): Scenario {
  if (number % 10 === 1) return DECLINED;
  return number % 10 === 3 ? TIMED_OUT_ONCE : ACCEPTED;
}

function logsOf(scenario: Scenario): readonly RegExp[] {
  return Object.values(scenario.logs).flat();
}

/** What a service logged for one order; the events of its transaction apart. */
function isLine({ kind, transactionId, attributes }: ReadRecord): boolean {
  return kind === "log" && transactionId !== null && !(ATTRIBUTE.eventName in attributes);
}

/** A declined card undoes what was done; all else ends with the parcel's leaving. */
function expectSaga(found: ReadTransaction | undefined, scenario: Scenario): void {
  const isDeclined = scenario === DECLINED;
  expect(found?.status).toBe(isDeclined ? "compensated" : "completed");
  const steps = found?.steps.map(({ name, status }) => `${name} ${status}`);
  expect(steps).toEqual(
    isDeclined
      ? ["keep-parcel compensated", "charge-card failed"]
      : ["keep-parcel done", "charge-card done", "dispatch-parcel done"],
  );
}

/** Every record the three services made for one order: none missing, none twice, none besides. */
function expectWhole(records: readonly ReadRecord[], { logs, served }: Scenario): void {
  for (const service of SERVICES) {
    const own = records.filter((record) => record.service === service);
    const messages = own.filter(isLine).map(({ message }) => message);
    const wanted = (logs[service] ?? []).map((pattern) => expect.stringMatching(pattern));
    expect(messages).toEqual(wanted);
    const servers = own.filter(({ span }) => span?.kind === "server");
    expect(servers).toHaveLength(served[service] ?? 0);
  }
  const calls = Object.values(served).reduce((sum, count) => sum + count, 0) - 1;
  expect(records.filter(({ span }) => span?.kind === "client")).toHaveLength(calls);
}

/** Each run numbers its records; a record that was lost leaves a gap, one stored twice a double. */
function expectGapless(kind: "log" | "span", records: readonly ReadRecord[]): void {
  const sequences = new Map<string, number[]>();
  for (const record of records.filter((item) => item.kind === kind)) {
    const { run, sequence } = numberOf(record);
    sequences.set(run, [...(sequences.get(run) ?? []), sequence]);
  }
  expect(sequences.size).toBe(SERVICES.length);
  for (const numbers of sequences.values()) {
    const sorted = numbers.toSorted((a, b) => a - b);
    const first = sorted[0] ?? Number.NaN;
    expect(first).toBeLessThanOrEqual(1);
    expect(sorted).toEqual(sorted.map((_, i) => first + i));
  }
}

function numberOf({ kind, attributes, resource }: ReadRecord): { run: string; sequence: number } {
  const run = String(resource[ATTRIBUTE.runId]);
  if (kind === "span") return { run, sequence: Number(attributes[ATTRIBUTE.spanSequence]) };
  const uid = String(attributes[ATTRIBUTE.recordUid]);
  return { run, sequence: Number(/(\d+)$/.exec(uid)?.[1]) };
}

interface Answer {
  readonly number: number;
  readonly status: number;
  readonly transactionId: string;
}

/** The customers as a process of their own, as fast as the services take the orders. */
async function sendOrders(request: {
  ids: readonly string[];
  idsFile: string;
  ordersPort: number;
  onAnswer: (count: number) => void;
}): Promise<readonly Answer[]> {
  writeFileSync(request.idsFile, `${request.ids.join("\n")}\n`);
  const customers = spawn(
    process.execPath,
    [
      ...[join(REPOSITORY, "stack", "demo", "customers.ts"), "--ids-file", request.idsFile],
      ...["--url", `http://127.0.0.1:${request.ordersPort}`],
      ...["--rate", "100000", "--concurrency", "16"],
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const answers: Answer[] = [];
  for await (const line of createInterface({ input: customers.stdout })) {
    const event = JSON.parse(line);
    if (event.event !== "order") continue;
    answers.push(event);
    request.onAnswer(answers.length);
  }
  return answers;
}

function launch(dataDir: string, args: readonly string[]): LaunchedStack {
  const stack = new LaunchedStack({ args, dataDir });
  toDispose.push(() => stack.dispose());
  return stack;
}
