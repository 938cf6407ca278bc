import { type MessageHeaders, type OutgoingMessage, TOPICS, type Topic } from "../../bus/bus.ts";
import { ClewError } from "../../errors.ts";
import type { Signal } from "../../otlp/otlp-schema.ts";
import { walkOtlp } from "../../otlp/otlp-walk.ts";
import type { StoredDeadLetter } from "../../store/dead-letter.ts";

/** What of the bus decides whether a letter can be sent again. */
export interface ReplayBounds {
  readonly maxMessageBytes: number;
  readonly keepsMetrics: boolean;
}

export interface Replay {
  /** What is sent in place of the original; null: the original. */
  readonly edited: Uint8Array | null;
  readonly atNs: bigint;
  /** Unix time. */
  readonly nowNs: bigint;
  /** Minted; of a message whose records have no ids by an earlier one. */
  readonly requestId: string;
  readonly bounds: ReplayBounds;
}

const SIGNALS: ReadonlySet<string> = new Set<Signal>(["logs", "traces", "metrics"]);

/**
 * The letter as a message for the bus, under the ids that its records had from the first: however
 * often it is sent, it is stored once.
 * @throws ClewError REQUEST_MALFORMED where what is sent in its place is no such record;
 * BUS_MESSAGE_TOO_LARGE, PARAMETER_INVALID where it cannot be sent at all.
 */
export function replayMessage(letter: StoredDeadLetter, replay: Replay): OutgoingMessage {
  const { edited, bounds } = replay;
  const topic = topicOf(letter, bounds);
  if (edited === null && !letter.isWhole) throw cannot("not all pieces of it have arrived");
  const value = edited ?? letter.original;
  if (value.length > bounds.maxMessageBytes) {
    const why = `${value.length} bytes: the bus takes ${bounds.maxMessageBytes} in one message`;
    throw new ClewError("BUS_MESSAGE_TOO_LARGE", `cannot send it: ${why}`);
  }
  const records = isSignal(topic) ? countRecords(topic, letter, value) : 1;
  if (edited !== null) checkEdited(letter, { topic, records });
  return { topic, headers: headersOf(letter, replay, { topic, records }), value };
}

function topicOf(letter: StoredDeadLetter, { keepsMetrics }: ReplayBounds): Topic {
  const topic = TOPICS.find((known) => known === letter.topic);
  if (topic === undefined) throw cannot(`nobody reads the topic ${letter.topic.slice(0, 100)}`);
  if (topic === "metrics" && !keepsMetrics) throw cannot("the embedded bus keeps no metrics");
  return topic;
}

/** An undecodable message is sent as it is, for a collector that knows more than the last. */
function countRecords(signal: Signal, letter: StoredDeadLetter, value: Uint8Array): number {
  try {
    return walkOtlp(signal, value);
  } catch (error) {
    if (value === letter.original) return 1;
    throw error;
  }
}

/** What was one record stays one: its id is one. */
function checkEdited(
  letter: StoredDeadLetter,
  { topic, records }: { readonly topic: Topic; readonly records: number },
): void {
  if (!isSignal(topic)) throw cannot(`a message of ${topic} cannot be edited`);
  if (records === 0) throw cannot("what is sent in its place holds no record");
  const before = letter.reason === "undecodable" ? undefined : recordsIn(topic, letter);
  if (before !== 1 || records === 1) return;
  throw cannot(`it is one record, what is sent in its place holds ${records}`);
}

function recordsIn(topic: Signal, { original, isWhole }: StoredDeadLetter): number | undefined {
  return isWhole ? walkOtlp(topic, original) : undefined;
}

function headersOf(
  letter: StoredDeadLetter,
  { atNs, nowNs, requestId }: Replay,
  { topic, records }: { readonly topic: Topic; readonly records: number },
): MessageHeaders {
  // Nothing can have been received later than now; some clients' messages say so.
  const isPast = letter.receivedNs > 0n && letter.receivedNs <= nowNs;
  const receivedNs = isPast ? letter.receivedNs : nowNs;
  const own = { records, receivedNs, repeat: true, replayedNs: atNs };
  const isRecord = records === 1 && letter.reason !== "undecodable" && topic !== "metrics";
  if (isRecord) return { requestId, part: 0, ...own, recordId: letter.id };
  return { ...placeOf(letter), ...own };
}

/**
 * Request and part from which records without ids of their own got theirs: a message's letter is
 * named by them, a group's by its first record.
 */
function placeOf({ id, reason }: StoredDeadLetter): { requestId: string; part: number } {
  const named = reason === "undecodable" ? /^(.+)-(\d{1,10})$/ : /^(.+)-(\d{1,10})-0$/;
  const [, requestId, part] = named.exec(id) ?? [];
  if (requestId === undefined) return { requestId: id, part: 0 };
  return { requestId, part: Number(part) };
}

function isSignal(topic: string): topic is Signal {
  return SIGNALS.has(topic);
}

function cannot(why: string): ClewError {
  return new ClewError("PARAMETER_INVALID", `cannot send it: ${why}`);
}
