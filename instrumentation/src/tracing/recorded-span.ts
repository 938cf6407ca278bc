import type {
  Attributes,
  AttributeValue,
  Exception,
  Link,
  Span,
  SpanContext,
  SpanStatus,
  TimeInput,
} from "@opentelemetry/api";
import { describeException } from "../logging/exception.ts";
import { nowMicros } from "../now-micros.ts";
import type { EncodedAttributes } from "../otlp/encoded-attributes.ts";
import type { Transaction } from "../transaction/transaction-context.ts";
import { type SpanLimits, VALUE_CHARACTERS_MAX } from "./config.ts";
import { cutValue, limitAttributes } from "./limit-attributes.ts";

/** Name and version of the code that makes spans: OTLP's InstrumentationScope. */
export interface Scope {
  readonly name: string;
  readonly version: string;
}

export interface SpanEvent {
  readonly name: string;
  readonly timeMicros: number;
  readonly attributes: Attributes;
}

export interface SpanStart {
  readonly scope: Scope;
  readonly name: string;
  /** The API's SpanKind: 0 internal, 1 server, 2 client, 3 producer, 4 consumer. */
  readonly kind: number;
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly transaction: Transaction | undefined;
  /** True on the span whose making began the transaction. */
  readonly isTransactionStart: boolean;
  readonly limits: SpanLimits;
  readonly startMicros: number;
  readonly onEnd: (span: RecordedSpan) => void;
}

/** The API's status codes. */
export const STATUS = { unset: 0, ok: 1, error: 2 } as const;

/**
 * A span in the making, as the API's users and our own hooks see it. Attributes are a flat list of
 * key, value, key, value: a span has a dozen, and a list that short is cheaper than a map.
 */
export class RecordedSpan implements Span {
  readonly scope: Scope;
  readonly kind: number;
  readonly parent: SpanContext | undefined;
  readonly transaction: Transaction | undefined;
  readonly isTransactionStart: boolean;
  readonly startMicros: number;
  events: SpanEvent[] | undefined;
  links: Link[] | undefined;
  name: string;
  endMicros = 0;
  statusCode: number = STATUS.unset;
  statusMessage = "";
  /** Log records made under this span so far. */
  logs = 0;
  droppedAttributes = 0;
  droppedEvents = 0;
  droppedLinks = 0;
  readonly #own: unknown[] = [];
  #shared: EncodedAttributes | undefined;
  readonly #context: SpanContext;
  readonly #limits: SpanLimits;
  readonly #onEnd: (span: RecordedSpan) => void;

  constructor(start: SpanStart) {
    this.scope = start.scope;
    this.name = start.name;
    this.kind = start.kind;
    this.parent = start.parent;
    this.transaction = start.transaction;
    this.isTransactionStart = start.isTransactionStart;
    this.startMicros = start.startMicros;
    this.#context = start.context;
    this.#limits = start.limits;
    this.#onEnd = start.onEnd;
  }

  get valueLengthMax(): number {
    return this.#limits.valueLength;
  }

  /** All of them, to be read and changed; those that it shared become its own. */
  get attributes(): unknown[] {
    this.#unshare();
    return this.#own;
  }

  /** Those that are not among `shared`. */
  get ownAttributes(): readonly unknown[] {
    return this.#own;
  }

  get shared(): EncodedAttributes | undefined {
    return this.#shared;
  }

  /** Not where the service set a limit of its own to the length of values. */
  get canShareAttributes(): boolean {
    return this.#limits.valueLength >= VALUE_CHARACTERS_MAX;
  }

  /** Gives it attributes that other spans have as well; before any other. */
  shareAttributes(shared: EncodedAttributes): void {
    this.#shared = shared;
  }

  #unshare(): void {
    if (this.#shared === undefined) return;
    this.#own.unshift(...this.#shared.list);
    this.#shared = undefined;
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  /** True also where it is not sampled: what is left of it is decided at its end. */
  isRecording(): boolean {
    return this.endMicros === 0;
  }

  /** Sets an attribute that is known not to be there yet: no search for an older value. */
  addAttribute(key: string, value: string | number | boolean): void {
    this.#own.push(key, cutValue(value, this.#limits.valueLength));
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (value === undefined || value === null || key === "" || !this.isRecording()) return this;
    if (this.#shared?.has(key)) this.#unshare();
    const list = this.#own;
    const kept = cutValue(value, this.#limits.valueLength);
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] !== key) continue;
      list[i + 1] = kept;
      return this;
    }
    const count = (list.length + (this.#shared?.list.length ?? 0)) / 2;
    if (count < this.#limits.attributes) list.push(key, kept);
    else this.droppedAttributes++;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== undefined) this.setAttribute(key, value);
    }
    return this;
  }

  addEvent(name: string, second?: Attributes | TimeInput, third?: TimeInput): this {
    if (!this.isRecording()) return this;
    this.events ??= [];
    if (this.events.length >= this.#limits.events) {
      this.droppedEvents++;
      return this;
    }
    const isTime = isTimeInput(second);
    const timeMicros = toMicros(isTime ? second : third);
    const { eventAttributes: count, valueLength } = this.#limits;
    const given = isTime ? undefined : second;
    const attributes = limitAttributes(given, { count, valueLength });
    this.events.push({ name, timeMicros, attributes });
    return this;
  }

  addLink(link: Link): this {
    if (!this.isRecording()) return this;
    this.links ??= [];
    if (this.links.length >= this.#limits.links) {
      this.droppedLinks++;
      return this;
    }
    const { linkAttributes: count, valueLength } = this.#limits;
    const attributes = limitAttributes(link.attributes, { count, valueLength });
    this.links.push(link.attributes === undefined ? link : { ...link, attributes });
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  /** A status of OK is final, and UNSET changes nothing (OpenTelemetry "Set Status"). */
  setStatus(status: SpanStatus): this {
    if (!this.isRecording() || status.code === STATUS.unset) return this;
    if (this.statusCode === STATUS.ok) return this;
    this.statusCode = status.code;
    this.statusMessage = status.code === STATUS.error ? (status.message ?? "") : "";
    return this;
  }

  updateName(name: string): this {
    if (this.isRecording()) this.name = name;
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    if (!this.isRecording()) return;
    this.addEvent("exception", describeException(exception), time);
  }

  end(time?: TimeInput): void {
    this.endAt(time === undefined ? undefined : toMicros(time));
  }

  /** Ends it at a Unix time in microseconds, or now; a second end changes nothing. */
  endAt(micros = nowMicros()): void {
    if (this.endMicros !== 0) return;
    this.endMicros = Math.max(micros, this.startMicros);
    this.#onEnd(this);
  }
}

/** The API's times: Date, Unix milliseconds, performance.now(), or [seconds, nanoseconds]. */
export function toMicros(time: TimeInput | undefined): number {
  if (time === undefined) return nowMicros();
  if (Array.isArray(time)) return time[0] * 1_000_000 + Math.round(time[1] / 1000);
  const ms = time instanceof Date ? time.getTime() : time;
  // A number smaller than the process's own start cannot be Unix time: it is performance.now().
  const unixMs = ms < performance.timeOrigin / 2 ? performance.timeOrigin + ms : ms;
  return Math.round(unixMs * 1000);
}

function isTimeInput(value: Attributes | TimeInput | undefined): value is TimeInput {
  return typeof value === "number" || value instanceof Date || Array.isArray(value);
}
