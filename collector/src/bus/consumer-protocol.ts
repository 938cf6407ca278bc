import type { DurableEnd } from "./segment-log.ts";

/** What the consumer, perhaps in another thread, says to the bus; each is answered once. */
export type ConsumerRequest =
  | { readonly kind: "open"; readonly from: number | undefined }
  /** Asks for the durable end as soon as it lies beyond `beyond`. */
  | { readonly kind: "wait"; readonly beyond: number }
  | { readonly kind: "commit"; readonly offset: number }
  | { readonly kind: "stop" };

export type ConsumerAnswer =
  | { readonly kind: "opened"; readonly start: number; readonly durable: DurableEnd }
  | { readonly kind: "durable"; readonly durable: DurableEnd }
  | { readonly kind: "committed"; readonly offset: number }
  /** The last one: the bus has stopped, or another consumer took this one's place. */
  | { readonly kind: "stopped" };
