import { encodeHeldSpan } from "../otlp/held-span.ts";
import { ProtobufWriter } from "../otlp/protobuf-writer.ts";
import { countFault } from "../stats.ts";
import { EMPTY_CONTEXT, runIn } from "../transaction/transaction-context.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import { type HeldRecord, HeldSpansRing } from "./held-spans-ring.ts";
import { type RecordedSpan, STATUS } from "./recorded-span.ts";
import { reduceToSummary } from "./span-summary.ts";
import { SAMPLED } from "./trace-context.ts";

/** Who numbers and writes what leaves. */
export interface SpanWriter {
  /** A span as it is now. */
  readonly span: (span: RecordedSpan) => void;
  /** One that was held; its bytes are good for this call. */
  readonly held: (held: HeldRecord, isSummary: boolean) => void;
}

export interface HeldSpansOptions {
  readonly writer: SpanWriter;
  /** Whether the sampler keeps what belongs to an ID: then nothing of it is ever held. */
  readonly isKept: (id: string) => boolean;
  /** Milliseconds of a clock that only goes forward. */
  readonly nowMs?: () => number;
}

/** How long a span waits for an error of its transaction; less than `SPAN_HELD_MS_MAX`. */
export const HELD_AGE_MAX_MS = 10_000;
export const HELD_SPANS_MAX = 32_768;
export const HELD_BYTES_MAX = 16 * 1024 * 1024;
/** Transactions remembered as failed, so that what they still do is kept whole. */
export const PROMOTED_MAX = 8192;
/** Often, so that each time there is little to write. */
export const RELEASE_EVERY_MS = 100;
const ENCODER_BYTES = 16 * 1024;

/**
 * Spans that were not sampled, each held until it is known whether its transaction fails here. An
 * error keeps all that is held of its transaction, and all that comes after it in this process.
 * What leaves without one, because it is old, because there is no more room or because the process
 * ends, leaves its summary. A span gets its number when it leaves, so that no number is ever given
 * to what only memory has.
 */
export class HeldSpans {
  readonly #options: HeldSpansOptions;
  readonly #nowMs: () => number;
  /** Made for the first span that is held: most samplers keep all of a quiet service's. */
  #ring: HeldSpansRing | undefined;
  #encoder: ProtobufWriter | undefined;
  readonly #promoted = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HeldSpansOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
  }

  get size(): number {
    return this.#ring?.size ?? 0;
  }

  /** Takes over a span that has ended. */
  end(span: RecordedSpan): void {
    const { traceFlags, traceId } = span.spanContext();
    const { writer } = this.#options;
    if ((traceFlags & SAMPLED) === SAMPLED) {
      writer.span(span);
      return;
    }
    const id = span.transaction?.id ?? traceId;
    if (isUnexpectedError(span)) this.promote(id);
    if (this.#promoted.has(id)) writer.span(span);
    else if (!this.#hold(id, span)) {
      reduceToSummary(span);
      writer.span(span);
    }
  }

  /** An error happened in this transaction: it is kept whole from here on. */
  promote(id: string): void {
    if (this.#promoted.has(id) || this.#options.isKept(id)) return;
    if (this.#promoted.size >= PROMOTED_MAX) {
      const [oldest] = this.#promoted;
      if (oldest !== undefined) this.#promoted.delete(oldest);
    }
    this.#promoted.add(id);
    for (const held of this.#ring?.take(id) ?? []) this.#options.writer.held(held, false);
  }

  /** Leaves the summary of all that is held: the process ends. */
  release(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.size > 0) this.#leaveOldest();
  }

  /** False where it could not be held. */
  #hold(id: string, span: RecordedSpan): boolean {
    this.#ring ??= new HeldSpansRing({ recordsMax: HELD_SPANS_MAX, bytesMax: HELD_BYTES_MAX });
    const ring = this.#ring;
    // Attributes are read here, and a getter among them may end a span of its own.
    const encoder = this.#encoder ?? new ProtobufWriter(ENCODER_BYTES);
    this.#encoder = undefined;
    try {
      const bytes = encodeHeldSpan(encoder, span);
      while (!ring.hasRoom(bytes.length)) {
        if (ring.size === 0) return false;
        this.#leaveOldest();
      }
      const isInTransaction = span.transaction !== undefined;
      ring.push({ id, isInTransaction, scope: span.scope, bytes }, this.#nowMs());
    } catch (error) {
      countFault("sampling", error);
      return false;
    } finally {
      this.#encoder = encoder;
    }
    if (this.#timer === undefined) this.#plan();
    return true;
  }

  /** Outside of the request that happens to run: a timer would keep its context alive. */
  #plan(): void {
    const later = () => setTimeout(() => this.#releaseOld(), RELEASE_EVERY_MS);
    this.#timer = runIn(EMPTY_CONTEXT, later).unref();
  }

  #releaseOld(): void {
    this.#timer = undefined;
    const until = this.#nowMs() - HELD_AGE_MAX_MS;
    while ((this.#ring?.oldestMs ?? Number.POSITIVE_INFINITY) <= until) this.#leaveOldest();
    if (this.size > 0) this.#plan();
  }

  #leaveOldest(): void {
    const held = this.#ring?.shift();
    if (held !== undefined) this.#options.writer.held(held, true);
  }
}

function isUnexpectedError({ statusCode, attributes }: RecordedSpan): boolean {
  if (statusCode !== STATUS.error) return false;
  const at = attributes.indexOf(ATTRIBUTE.errorExpected);
  return at === -1 || attributes[at + 1] !== true;
}
