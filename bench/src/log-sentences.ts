/** What a shop's services write, in words that a full-text index has to work for. */
import { SEMANTIC } from "@clew/instrumentation/names";
import type { Random } from "./seeded-random.ts";

const METHODS = ["GET", "POST", "PUT", "DELETE"] as const;
const PATHS = ["/api/v1/orders", "/api/v1/carts", "/api/v1/payments", "/api/v1/search"] as const;
const SUBJECTS = ["order", "payment", "parcel", "invoice", "refund", "customer", "card"] as const;
const ACTS = ["accepted", "charged", "reserved", "dispatched", "declined", "retried"] as const;
const PLACES = ["warehouse", "gateway", "ledger", "inventory", "carrier", "queue"] as const;
const THREADS = 16;
const MILLISECONDS_MAX = 900;
const OK_OF_100 = 97;

export interface Sentence {
  readonly text: string;
  readonly attributes: Readonly<Record<string, string | number>>;
}

export function pickSentence(random: Random): Sentence {
  const method = random.pick(METHODS);
  const path = random.pick(PATHS);
  const status = random.whole(100) < OK_OF_100 ? 200 : 500;
  const subject = random.pick(SUBJECTS);
  const user = `user-${random.hex(6)}`;
  const text =
    `${subject} ${random.hex(8)} ${random.pick(ACTS)} by ${random.pick(PLACES)}: ` +
    `${method} ${path} ` +
    `completed with status ${status} in ${random.whole(MILLISECONDS_MAX)} ms for ${user}`;
  const attributes = {
    [SEMANTIC.httpMethod]: method,
    [SEMANTIC.httpRoute]: `${path}/{id}`,
    [SEMANTIC.httpStatusCode]: status,
    [SEMANTIC.clientAddress]: `10.${random.whole(256)}.${random.whole(256)}.7`,
    "thread.name": `worker-${random.whole(THREADS)}`,
  };
  return { text, attributes };
}
