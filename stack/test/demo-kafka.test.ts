import { afterEach, describe, expect, test, vi } from "vitest";
import { requireJava } from "../backends/required-programs.ts";
import { freshDataDir, LaunchedStack } from "./launched-stack.ts";
import { QueryApi } from "./query-api.ts";

const FIRST_RUN_MS = 420_000;
const INDEXED_MS = 60_000;

const toDispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const dispose of toDispose.splice(0).toReversed()) await dispose();
});

describe.skipIf(!requireJava("the demo over a real Kafka"))("npm start -- --kafka", () => {
  test("shows the hop over the topic in the order's transaction, and ends cleanly", {
    timeout: FIRST_RUN_MS,
  }, async () => {
    const dataDir = freshDataDir();
    toDispose.push(dataDir.dispose);
    const stack = new LaunchedStack({
      args: ["--kafka", "--no-load", "--json"],
      dataDir: dataDir.path,
    });
    toDispose.push(() => stack.dispose());
    const { port } = await stack.waitFor("collector-ready");
    const { ordersPort } = await stack.waitFor("demo-ready", FIRST_RUN_MS);
    const id = "order-over-kafka";
    expect(await order({ port: Number(ordersPort), transactionId: id })).toBe(201);

    const api = new QueryApi(Number(port));
    await vi.waitFor(
      async () => {
        const records = await api.recordsOf(id);
        const messaging = records.filter(({ span }) => {
          return span?.kind === "producer" || span?.kind === "consumer";
        });
        const ends = messaging.map(({ service, span }) => [service, span?.kind]);
        expect(ends.toSorted()).toEqual([
          ["orders", "producer"],
          ["shipping", "consumer"],
        ]);
        const dispatched = records.find(({ message }) => message.startsWith("parcel dispatched"));
        expect(dispatched).toMatchObject({ service: "shipping", transactionId: id });
        const transaction = await api.findTransaction(id);
        expect(transaction?.hops).toContainEqual(
          expect.objectContaining({ kind: "messaging", from: "orders", to: "shipping" }),
        );
        expect(transaction).toMatchObject({ verdict: "complete", missing: [], doubts: [] });
      },
      { timeout: INDEXED_MS, interval: 200 },
    );
    expect(await stack.interrupt()).toBe(true);
    expect(stack.processes()).toEqual([]);
  });
});

async function order(request: { port: number; transactionId: string }): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${request.port}/orders`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-transaction-id": request.transactionId },
    body: JSON.stringify({ customer: "me", item: "lamp", amountCents: 100, card: "4242" }),
    signal: AbortSignal.timeout(30_000),
  });
  return response.status;
}
