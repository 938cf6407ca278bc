/**
 * Two modules inside kafkajs 2.2.4 that this folder changes, as far as it uses them. The version is
 * pinned; `kafkajs-internals.test.ts` fails where another one has them otherwise.
 */
import { createRequire } from "node:module";

/** `src/network/requestQueue`: the requests of one connection. */
export interface RequestQueueInternals {
  readonly pending: readonly object[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  scheduleCheckPendingRequests(): void;
  checkPendingRequests(): void;
}

/** `src/protocol/requests/produce`: how a request to write is made for each version. */
export interface ProduceInternals {
  protocol(choice: { readonly version: number }): (fields: ProduceFields) => ProduceExchange;
}

export interface ProduceFields {
  readonly acks: number;
  readonly timeout: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      /** As they were given to `producer.send`. */
      readonly messages: readonly object[];
    }[];
  }[];
}

export interface ProduceExchange {
  readonly request: {
    readonly apiVersion: number;
    readonly encode: () => Promise<EncodedInternals>;
  };
  readonly response: object;
}

/** What of its own `Encoder` kafkajs uses to put a request into a frame. */
export interface EncodedInternals {
  readonly buf: Buffer;
  readonly buffer: Buffer;
  size(): number;
}

const require = createRequire(import.meta.url);

export const RequestQueue: {
  readonly prototype: RequestQueueInternals;
} = require("kafkajs/src/network/requestQueue/index.js");
export const Produce: ProduceInternals = require("kafkajs/src/protocol/requests/produce/index.js");
