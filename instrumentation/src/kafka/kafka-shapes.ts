/**
 * What is used of kafkajs's objects, by shape alone: kafkajs is no dependency of this package, and
 * a client with the same methods is served as well.
 */

export type HeaderValue = string | Uint8Array | (string | Uint8Array)[] | undefined;
export type KafkaHeaders = Record<string, HeaderValue>;

export interface OutgoingMessage {
  headers?: KafkaHeaders;
}

export interface TopicMessages {
  topic: string;
  messages: OutgoingMessage[];
}

export interface IncomingMessage {
  readonly headers?: KafkaHeaders | undefined;
  /** Milliseconds of Unix time, as decimal text. */
  readonly timestamp?: string;
  readonly offset?: string;
}

export interface EachMessagePayload {
  readonly topic: string;
  readonly partition: number;
  readonly message: IncomingMessage;
}

export interface EachBatchPayload {
  readonly batch: {
    readonly topic: string;
    readonly partition: number;
    readonly messages: readonly IncomingMessage[];
  };
}

/** A function of somebody else's object: called with what it was called with. */
export type Method = (...args: unknown[]) => unknown;

/** The methods of an object that are there, to be replaced one by one. */
export function findMethod(object: object, name: string): Method | undefined {
  const method: unknown = Reflect.get(object, name);
  return typeof method === "function" ? (method as Method) : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Headers by lower-case name: Kafka keeps their case, ours are looked for in any. */
export function readHeaders(headers: KafkaHeaders | undefined): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    const text = headerText(value);
    if (text !== undefined) found[name.toLowerCase()] = text;
  }
  return found;
}

/** A header's text; of several values the first counts. */
function headerText(value: HeaderValue): string | undefined {
  const first = Array.isArray(value) ? value[0] : value;
  if (first === undefined || first === null) return undefined;
  return typeof first === "string" ? first : Buffer.from(first).toString("utf8");
}
