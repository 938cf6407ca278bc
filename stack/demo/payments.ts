/** MS2 of the demo: charges cards. A card's number tells what it does, as at real gateways. */
import { setTimeout as delay } from "node:timers/promises";
import pino from "pino";
import { readDemoConfig, VARIABLE } from "../config.ts";
import { CARD } from "./cards.ts";
import { type Json, type Reply, runHttpService } from "./http-service.ts";

const GATEWAY_MS = 15;
const GATEWAY_TIMEOUT_MS = 60;

const logger = pino();

runHttpService({
  name: "payments",
  port: readDemoConfig().paymentsPort,
  portVariable: VARIABLE.paymentsPort,
  routes: { "POST /payments": ({ body }) => pay(body) },
  onFault: (error) => logger.error(error, "payment failed unexpectedly"),
  onStop: async () => logger.info("payments has stopped"),
});

/** `{orderId, amountCents, card, attempt}` → 201, 402 where declined, 504 where nobody answered. */
async function pay({ orderId, amountCents, card, attempt }: Json): Promise<Reply> {
  logger.info({ orderId, amountCents, attempt }, `charging ${amountCents} cents`);
  if (card === CARD.timesOutOnce && attempt === 1) {
    await delay(GATEWAY_TIMEOUT_MS);
    logger.warn({ orderId, attempt }, "gateway timeout: the bank did not answer in time");
    return { status: 504, body: { error: "gateway timeout" } };
  }
  await delay(GATEWAY_MS);
  if (card === CARD.declined) {
    logger.error({ orderId }, "card declined: insufficient funds");
    return { status: 402, body: { error: "card declined" } };
  }
  logger.info({ orderId, attempt }, "payment captured");
  return { status: 201, body: { paymentId: `pay-${orderId}` } };
}
