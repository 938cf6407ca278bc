/** MS1 of the demo: takes orders, has them paid by `payments` and sent by `shipping`. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import pino from "pino";
import { readDemoConfig, VARIABLE } from "../config.ts";
import { StackError } from "../errors.ts";
import type { DispatchProducer } from "./dispatch-topic.ts";
import { type Json, type Reply, runHttpService } from "./http-service.ts";
import { ShippingClient } from "./shipping-client.ts";

const PAYMENT_ATTEMPTS_MAX = 3;
const PAYMENT_RETRY_DELAY_MS = 25;
const PAYMENT_TIMEOUT_MS = 5_000;

const config = readDemoConfig();
const logger = pino();
const shipping = new ShippingClient(config.shippingUrl);
let topic: DispatchProducer | undefined;
if (config.kafkaBrokers.length > 0) {
  const { openDispatchProducer } = await import("./dispatch-topic.ts");
  topic = await openDispatchProducer(config.kafkaBrokers);
}

runHttpService({
  name: "orders",
  port: config.ordersPort,
  portVariable: VARIABLE.ordersPort,
  routes: { "POST /orders": ({ body }) => takeOrder(body) },
  onFault: (error) => logger.error(error, "order failed unexpectedly"),
  onStop: async () => {
    shipping.close();
    await topic?.close();
    logger.info("orders has stopped");
  },
});

/** `{customer, item, amountCents, card}` → 201, 402 where the card is declined, 400, 503. */
async function takeOrder({ customer, item, amountCents, card }: Json): Promise<Reply> {
  if (typeof item !== "string" || typeof amountCents !== "number" || typeof card !== "string") {
    logger.warn({ customer }, "order refused: item, amountCents or card is missing");
    return { status: 400, body: { error: "an order has an item, amountCents and a card" } };
  }
  const orderId = randomUUID();
  logger.info({ orderId, customer, item }, "order received");
  await shipping.post("/parcels", { orderId, item });
  const paymentStatus = await pay({ orderId, amountCents, card });
  if (paymentStatus !== 201) return failOrder(orderId, paymentStatus);
  await handToDispatch({ orderId, item });
  logger.info({ orderId }, "order completed");
  return { status: 201, body: { orderId } };
}

/** Tries again where the gateway did not answer; a declined card is final. */
async function pay(payment: Json): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(`${config.paymentsUrl}/payments`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...payment, attempt }),
      signal: AbortSignal.timeout(PAYMENT_TIMEOUT_MS),
    });
    await response.arrayBuffer();
    if (response.status !== 504 || attempt === PAYMENT_ATTEMPTS_MAX) return response.status;
    const { orderId } = payment;
    logger.warn({ orderId, attempt }, "payment timed out, trying again");
    await delay(PAYMENT_RETRY_DELAY_MS * attempt);
  }
}

async function failOrder(orderId: string, paymentStatus: number): Promise<Reply> {
  await shipping.post(`/parcels/${orderId}/cancel`, {});
  const isDeclined = paymentStatus === 402;
  const reason = isDeclined ? "card declined" : `payments answered ${paymentStatus}`;
  logger.error({ orderId, reason }, `order failed: ${reason}`);
  return { status: isDeclined ? 402 : 503, body: { orderId, error: reason } };
}

/** The second job: worked off later, over Kafka where there is one. */
async function handToDispatch(job: { orderId: string; item: string }): Promise<void> {
  if (topic) return topic.send(job);
  const status = await shipping.post("/dispatches", job);
  if (status !== 202) {
    throw new StackError("CALL_FAILED", `cannot hand over the dispatch: shipping says ${status}`);
  }
}
