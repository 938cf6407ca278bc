/** MS1 of the demo: takes orders, has them paid by `payments` and sent by `shipping`. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { markExpected, transaction } from "@clew/instrumentation";
import pino from "pino";
import { readDemoConfig, VARIABLE } from "../config.ts";
import { StackError } from "../errors.ts";
import type { DispatchProducer } from "./dispatch-topic.ts";
import { type Json, type Reply, runHttpService } from "./http-service.ts";
import { ShippingClient } from "./shipping-client.ts";

const PAYMENT_ATTEMPTS_MAX = 3;
const PAYMENT_RETRY_DELAY_MS = 25;
const PAYMENT_TIMEOUT_MS = 5_000;
/** A parcel leaves long before; an order that is not done by then hangs somewhere. */
const ORDER_DEADLINE_MS = 60_000;

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
  transaction.deadline(ORDER_DEADLINE_MS);
  await transaction.step("keep-parcel", () => shipping.post("/parcels", { orderId, item }));
  const refusal = await charge({ orderId, amountCents, card });
  if (refusal) return undoOrder(orderId, refusal);
  await handToDispatch({ orderId, item });
  logger.info({ orderId }, "order completed");
  return { status: 201, body: { orderId } };
}

/** The step `charge-card`; answers why the card could not be charged, or nothing. */
async function charge(payment: Json): Promise<PaymentRefused | undefined> {
  try {
    await transaction.step("charge-card", async () => {
      const status = await pay(payment);
      if (status === 402) throw markExpected(new PaymentRefused(status, "card declined"));
      if (status !== 201) throw new PaymentRefused(status, `payments answered ${status}`);
    });
  } catch (error) {
    if (error instanceof PaymentRefused) return error;
    throw error;
  }
  return undefined;
}

class PaymentRefused extends Error {
  override readonly name = "PaymentRefused";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
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

/** What was done for the order is undone, and so the transaction ends. */
async function undoOrder(orderId: string, { status, message }: PaymentRefused): Promise<Reply> {
  await transaction.compensate("keep-parcel", () =>
    shipping.post(`/parcels/${orderId}/cancel`, {}),
  );
  logger.error({ orderId, reason: message }, `order failed: ${message}`);
  transaction.compensated();
  return { status: status === 402 ? 402 : 503, body: { orderId, error: message } };
}

/** The second job: worked off later, over Kafka where there is one. */
async function handToDispatch(job: { orderId: string; item: string }): Promise<void> {
  if (topic) return topic.send(job);
  const status = await shipping.post("/dispatches", job);
  if (status !== 202) {
    throw new StackError("CALL_FAILED", `cannot hand over the dispatch: shipping says ${status}`);
  }
}
