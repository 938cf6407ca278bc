/** MS3 of the demo: keeps parcels ready and dispatches them later. It logs by console only. */
import { setTimeout as delay } from "node:timers/promises";
import { transaction } from "@clew/instrumentation";
import { readDemoConfig, VARIABLE } from "../config.ts";
import { DispatchQueue } from "./dispatch-queue.ts";
import type { DispatchConsumer } from "./dispatch-topic.ts";
import { type Json, type Reply, runHttpService } from "./http-service.ts";

const LABEL_MS = 5;

const config = readDemoConfig();
const queue = new DispatchQueue({ delayMs: config.dispatchDelayMs, work: dispatch });
let topic: DispatchConsumer | undefined;
if (config.kafkaBrokers.length > 0) {
  const { openDispatchConsumer } = await import("./dispatch-topic.ts");
  topic = await openDispatchConsumer({
    brokers: config.kafkaBrokers,
    delayMs: config.dispatchDelayMs,
    work: dispatch,
  });
}

runHttpService({
  name: "shipping",
  port: config.shippingPort,
  portVariable: VARIABLE.shippingPort,
  routes: {
    "POST /parcels": ({ body }) => keepParcel(body),
    "POST /parcels/:orderId/cancel": ({ path }) => cancelParcel(path),
    "POST /dispatches": ({ body }) => takeDispatch(body),
  },
  onFault: (error) => console.error("shipping failed unexpectedly:", error),
  onStop: async () => {
    await topic?.close();
    await queue.drain();
    console.log("shipping has stopped");
  },
});

async function keepParcel({ orderId, item }: Json): Promise<Reply> {
  console.log(`parcel kept ready: ${item} for order ${orderId}`);
  return { status: 201, body: { orderId: orderId ?? null } };
}

async function cancelParcel({ orderId }: Json): Promise<Reply> {
  console.warn(`parcel cancelled: order ${orderId} was not paid`);
  return { status: 200, body: { orderId: orderId ?? null } };
}

async function takeDispatch(job: Json): Promise<Reply> {
  if (queue.add(job)) return { status: 202, body: {} };
  console.error(`dispatch refused: too many are waiting, order ${job.orderId}`);
  return { status: 503, body: { error: "too many dispatches are waiting" } };
}

async function dispatch({ orderId, item }: Json): Promise<void> {
  await transaction.step("dispatch-parcel", () => delay(LABEL_MS));
  console.info(`parcel dispatched: ${item} for order ${orderId}`);
  transaction.complete();
}
