/** What is lost between a service and its collector, by real processes: it is always noticed. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { App } from "../../instrumentation/test/app-process.ts";
import { type IsLost, LosingProxy } from "./losing-proxy.ts";
import type { ReadTransaction } from "./query-api.ts";
import { RealCollector } from "./real-collector.ts";

const TEST_MS = 150_000;
/** What may still come is waited for, for half a minute, before it is missing. */
const MISSED = { timeout: 90_000, interval: 500 };
const COMPLETE = { timeout: 60_000, interval: 250 };

let collector: RealCollector;
const proxies: LosingProxy[] = [];
const apps: App[] = [];

beforeAll(async () => {
  collector = await RealCollector.start();
}, TEST_MS);

afterAll(async () => {
  for (const app of apps) app.child.kill("SIGTERM");
  await Promise.all(apps.map((app) => app.ended));
  await Promise.all(proxies.map((proxy) => proxy.stop()));
  await collector?.stop();
}, TEST_MS);

test.concurrent.each<[string, IsLost, RegExp]>([
  [
    "the logs of a request",
    (path, body) => path === "/v1/logs" && body.includes("charging lost-1"),
    /^1 of 1 log record made under `POST \/` in pay-1 .* is not stored/,
  ],
  [
    "the span of a request",
    (path, body) => path === "/v1/traces" && body.includes("lost-2"),
    /^pay-2 .* answered `POST` of shop-2 .*, and its span is not stored/,
  ],
  [
    "all that an instance ever sends",
    () => true,
    /^run [0-9a-f]{8} answered `POST` of shop-3 .*, and its span is not stored/,
  ],
])("%s is lost: incomplete, and says what", { timeout: TEST_MS }, async (_, isLost, reason) => {
  const number = /(?:pay|shop)-(\d)/.exec(reason.source)?.[1] ?? "";
  const id = `lost-${number}`;
  const proxy = await LosingProxy.start(collector.otlpUrl, isLost);
  proxies.push(proxy);
  const pay = await startService(
    `pay-${number}`,
    { endpoint: proxy.url },
    'console.log("charging", id)',
  );
  const call = `await fetch("${pay}", { method: "POST" })`;
  const shop = await startService(`shop-${number}`, { endpoint: collector.otlpUrl }, call);
  await post(shop, id);
  await vi.waitFor(() => expect(proxy.lost).toBeGreaterThan(0), COMPLETE);
  // What comes after it shows that nothing waits in a spool any more.
  await post(shop, `next-${number}`);
  const verdicts = new Set<string>();
  const found = await vi.waitFor(async () => {
    const transaction = await judged(id);
    verdicts.add(transaction.verdict);
    expect(transaction.verdict).not.toBe("in-flight");
    return transaction;
  }, MISSED);
  expect(verdicts).toEqual(new Set(["in-flight", "incomplete"]));
  const told = expect.objectContaining({ text: expect.stringMatching(reason), count: 1 });
  expect(found.missing).toEqual(expect.arrayContaining([told]));
});

test.concurrent.each([
  ["every span is sampled", "whole-1", {}],
  ["no span is sampled", "whole-2", { OTEL_TRACES_SAMPLER: "always_off" }],
])(
  "nothing is lost, %s: complete, once its services have reported",
  {
    timeout: TEST_MS,
  },
  async (_, id, env) => {
    const to = { endpoint: collector.otlpUrl, env };
    const pay = await startService(`pay-${id}`, to, 'console.log("charging", id)');
    const shop = await startService(`shop-${id}`, to, `await fetch("${pay}")`);
    await post(shop, id);
    const found = await vi.waitFor(async () => {
      const transaction = await judged(id);
      expect(transaction.verdict).toBe("complete");
      return transaction;
    }, COMPLETE);
    expect(found).toMatchObject({ missing: [], doubts: [], waiting: [] });
    expect(found.counts).toEqual(expect.objectContaining({ logs: 1, spans: 3 }));
    expect(await listed("complete")).toContain(id);
    expect(await listed("incomplete")).not.toContain(id);
  },
);

/** A service that does this for each request, `id` being its transaction's. */
async function startService(
  name: string,
  to: { readonly endpoint: string; readonly env?: Readonly<Record<string, string>> },
  work: string,
): Promise<string> {
  const code = `
    import http from "node:http";
    import { transaction } from "@clew/instrumentation";
    const server = http.createServer(async (req, res) => {
      const id = transaction.id();
      ${work};
      res.end();
    });
    server.listen(0, "127.0.0.1", () => console.log(JSON.stringify(server.address().port)));
  `;
  const { endpoint, env } = to;
  const app = new App({ code, endpoint, env: { OTEL_SERVICE_NAME: name, ...env } });
  apps.push(app);
  return `http://127.0.0.1:${await app.nextJson<number>()}`;
}

async function post(url: string, transactionId: string): Promise<void> {
  const headers = { "x-transaction-id": transactionId };
  const response = await fetch(url, { method: "POST", headers });
  expect(response.status).toBe(200);
}

async function judged(id: string): Promise<ReadTransaction> {
  const transaction = await collector.api.findTransaction(id);
  if (transaction === undefined) throw new Error(`cannot see ${id} yet`);
  return transaction;
}

async function listed(verdict: string): Promise<string[]> {
  const response = await fetch(`${collector.queryUrl}/api/v1/transactions?verdict=${verdict}`);
  const { transactions } = (await response.json()) as { transactions: ReadTransaction[] };
  return transactions.map(({ transactionId }) => transactionId);
}
