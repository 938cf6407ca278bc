import { afterEach, expect, test, vi } from "vitest";
import { freshDataDir, LaunchedStack } from "./launched-stack.ts";
import { QueryApi } from "./query-api.ts";

const TEST_MS = 120_000;
/** A run reports every five seconds; the demo works for two more after its answer. */
const JUDGED_MS = 30_000;

const toDispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const dispose of toDispose.splice(0).toReversed()) await dispose();
});

test("an order of the demo is complete once its services have reported", {
  timeout: TEST_MS,
}, async () => {
  const dataDir = freshDataDir();
  toDispose.push(dataDir.dispose);
  const stack = new LaunchedStack({ args: ["--json", "--no-load"], dataDir: dataDir.path });
  toDispose.push(() => stack.dispose());
  const { port } = await stack.waitFor("collector-ready");
  const { ordersPort } = await stack.waitFor("demo-ready");
  const api = new QueryApi(Number(port));
  const cards = ["4242-4242-4242-4242", "4000-0000-0000-0002", "4000-0000-0000-0069"];
  const ids = cards.map((_, i) => `judged-${i + 1}`);
  await Promise.all(ids.map((id, i) => order(Number(ordersPort), id, cards[i] as string)));
  for (const id of ids) {
    await vi.waitFor(
      async () => {
        const found = await api.findTransaction(id);
        expect(found).toMatchObject({ verdict: "complete", missing: [], doubts: [], waiting: [] });
      },
      { timeout: JUDGED_MS, interval: 500 },
    );
  }
});

async function order(port: number, id: string, card: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/orders`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-transaction-id": id },
    body: JSON.stringify({ customer: "customer-1", item: "lamp", amountCents: 900, card }),
  });
  await response.arrayBuffer();
  return response.status;
}
