/**
 * What is used of kafkajs's objects, by shape alone: kafkajs is no dependency of this package, and
 * a client with the same methods is served as well.
 */
import { HEADER } from "../wire-names.ts";

export type HeaderValue = string | Uint8Array | (string | Uint8Array)[] | undefined;
export type KafkaHeaders = Record<string, HeaderValue>;

export interface OutgoingMessage {
  headers?: KafkaHeaders;
  value?: string | Uint8Array | null;
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
  readonly value?: Uint8Array | null;
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

/** The headers that mean something to us, by their lower-case names. */
export type KnownHeaders = Readonly<Record<string, string>>;

const KNOWN: ReadonlySet<string> = new Set(Object.values(HEADER));
const NONE: KnownHeaders = Object.freeze({});

/** The methods of an object that are there, to be replaced one by one. */
export function findMethod(object: object, name: string): Method | undefined {
  const method: unknown = Reflect.get(object, name);
  return typeof method === "function" ? (method as Method) : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/**
 * Those of our headers that are there, whatever their case: Kafka keeps it. The service's own are
 * passed over undecoded, because they may be large and are none of our business.
 */
export function readHeaders(headers: KafkaHeaders | null | undefined): KnownHeaders {
  if (headers === undefined || headers === null) return NONE;
  const found: Record<string, string> = {};
  for (const name of Object.keys(headers)) {
    const lower = name.toLowerCase();
    if (!KNOWN.has(lower)) continue;
    const text = headerText(headers[name]);
    if (text !== undefined) found[lower] = text;
  }
  return found;
}

/** Takes a header out, in whatever case it is written. */
export function deleteHeader(headers: KafkaHeaders, lowerName: string): void {
  for (const name of Object.keys(headers)) {
    if (name.toLowerCase() === lowerName) delete headers[name];
  }
}

/** A header's text; of several values the first counts. */
function headerText(value: HeaderValue): string | undefined {
  const first = Array.isArray(value) ? value[0] : value;
  if (first === undefined || first === null) return undefined;
  if (typeof first === "string") return first;
  return Buffer.isBuffer(first) ? first.toString("utf8") : Buffer.from(first).toString("utf8");
}
