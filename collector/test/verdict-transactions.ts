/** Transactions of a simulated world: what services do, told as our instrumentation tells it. */
import { ATTRIBUTE, SEMANTIC } from "@clew/instrumentation/names";
import type { FixtureAttributes } from "./record-fixtures.ts";
import { type Emission, HELD_MS, type Run, type World } from "./verdict-world.ts";

const KIND = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
const DEPTH_MAX = 3;
const LATE_LOG_MS_MAX = 60_000;
const QUEUE_MS_MAX = 3000;

/** Which services work on which topic; `lines` are merged, several transactions into one. */
export const TOPIC_CONSUMERS: Readonly<Record<string, readonly string[]>> = {
  orders: ["shipping", "billing"],
  mails: ["mailer"],
  lines: ["invoices"],
};

interface OpenSpan {
  readonly run: Run;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly kind: number;
  readonly name: string;
  readonly startMs: number;
  readonly attributes: Record<string, FixtureAttributes[string]>;
  readonly links: Emission["links"];
  logs: number;
}

interface Sent {
  readonly by: Transaction;
  readonly span: OpenSpan;
  readonly topic: string;
  readonly partition: string;
  readonly offset: bigint;
  readonly sentMs: number;
}

/** Plays transactions one after another; they overlap in time and share runs. */
export class Transactions {
  readonly ids: string[] = [];
  readonly world: World;
  /** Messages that wait to be merged with those of others. */
  readonly lines: Sent[] = [];
  #offset = 0n;

  constructor(world: World) {
    this.world = world;
  }

  /** One transaction that begins then, of one kind or another. */
  play(startMs: number): void {
    const { world } = this;
    const transaction = this.begin();
    if (world.chance(0.05)) transaction.onlyLogs(startMs);
    else transaction.request(startMs);
    if (this.lines.length >= 3) this.merge();
  }

  /** Whatever still waits is merged. */
  end(): void {
    while (this.lines.length > 0) this.merge();
  }

  begin(): Transaction {
    const id = `t-${this.world.id(8)}`;
    this.ids.push(id);
    return new Transaction(this, id);
  }

  nextOffset(): bigint {
    return ++this.#offset;
  }

  merge(): void {
    const lines = this.lines.splice(0, 3);
    const ids = [...new Set(lines.map(({ by }) => by.id))];
    const [first] = lines;
    if (first === undefined) return;
    const into = ids.length === 1 ? first.by : this.begin();
    into.workOnAll(lines, ids);
  }
}

/** One transaction, as it goes through the world. */
export class Transaction {
  readonly id: string;
  readonly #all: Transactions;
  readonly #world: World;
  readonly #isSampled: boolean;

  constructor(all: Transactions, id: string) {
    this.id = id;
    this.#all = all;
    this.#world = all.world;
    this.#isSampled = all.world.chance(0.7);
  }

  /** A job that only logs, under no span. */
  onlyLogs(startMs: number): void {
    const run = this.#world.pick(this.#world.runs);
    for (let i = 0; i <= this.#world.whole(4); i++) {
      this.#log({ run, span: null, atMs: startMs + i * 7, isAfterSpan: false });
    }
  }

  /** A request from outside: its caller tells no span. */
  request(startMs: number): void {
    const run = this.#runOf("gateway");
    const attributes = this.#world.chance(0.5) ? { [ATTRIBUTE.transactionStart]: true } : {};
    const traceId = this.#world.id(32);
    const span = this.#open({ run, kind: KIND.server, traceId, startMs, name: "POST", attributes });
    this.#close(span, this.#work(span, startMs + 1, 0));
  }

  /** Merged work on messages of one transaction, or of several. */
  workOnAll(messages: readonly Sent[], ids: readonly string[]): void {
    const sentMs = Math.max(...messages.map((message) => message.sentMs));
    const startMs = sentMs + this.#world.random() * QUEUE_MS_MAX;
    const isNew = ids.length > 1;
    const span = this.#open({
      run: this.#runOf("invoices"),
      kind: KIND.consumer,
      traceId: this.#world.id(32),
      startMs,
      name: "process lines",
      links: messages.map(({ span: { traceId, spanId, run } }) => ({
        traceId,
        spanId,
        attributes: { [ATTRIBUTE.callerRunId]: run.runId },
      })),
      attributes: {
        [SEMANTIC.messagingDestination]: "lines",
        [SEMANTIC.messagingBatchCount]: BigInt(messages.length),
        ...(isNew
          ? { [ATTRIBUTE.transactionSources]: [...ids], [ATTRIBUTE.transactionStart]: true }
          : {}),
      },
    });
    this.#close(span, this.#work(span, startMs + 1, DEPTH_MAX - 1));
  }

  /** What a handler does until it is done. */
  #work(span: OpenSpan, startMs: number, depth: number): number {
    const world = this.#world;
    let atMs = startMs;
    for (let i = world.whole(5); i >= 0; i--) {
      atMs += world.random() * 20;
      const die = world.random();
      if (die < 0.4 || depth >= DEPTH_MAX) this.#logUnder(span, atMs);
      else if (die < 0.55) atMs = this.#step(span, atMs);
      else if (die < 0.75) atMs = this.#call(span, atMs, depth);
      else if (die < 0.9) atMs = this.#send(span, atMs, depth);
      else if (die < 0.95) this.#nested(span, atMs);
      else this.#lateLog(span, atMs);
    }
    return atMs + 1;
  }

  #step(parent: OpenSpan, atMs: number): number {
    const { run, traceId } = parent;
    const name = "step charge-card";
    const span = this.#open({ run, kind: KIND.internal, traceId, parent, startMs: atMs, name });
    this.#logUnder(span, atMs + 1);
    return this.#close(span, atMs + 3);
  }

  #call(parent: OpenSpan, atMs: number, depth: number): number {
    const world = this.#world;
    const callee = this.#runOf(world.pick(["payments", "stock"]));
    const { run, traceId } = parent;
    const client = (attributes: FixtureAttributes, startMs: number) =>
      this.#open({ run, kind: KIND.client, traceId, parent, startMs, name: "POST", attributes });
    let startMs = atMs;
    if (world.chance(0.1)) {
      const refused = client({ [SEMANTIC.errorType]: "ECONNREFUSED" }, startMs);
      startMs = this.#close(refused, startMs + 2);
    }
    const call = client({ [ATTRIBUTE.peerRunId]: callee.runId }, startMs);
    const served = this.#open({
      run: callee,
      kind: KIND.server,
      traceId,
      parent: call,
      startMs: startMs + 1,
      name: "POST /charges",
      attributes: { [ATTRIBUTE.callerRunId]: run.runId },
    });
    const doneMs = this.#close(served, this.#work(served, startMs + 2, depth + 1));
    return this.#close(call, doneMs + 1);
  }

  #send(parent: OpenSpan, atMs: number, depth: number): number {
    const world = this.#world;
    const topic = world.pick(Object.keys(TOPIC_CONSUMERS));
    const count = topic === "lines" || world.chance(0.7) ? 1 : 1 + world.whole(4);
    const { run, traceId } = parent;
    const attributes = {
      [SEMANTIC.messagingDestination]: topic,
      ...(count > 1 ? { [SEMANTIC.messagingBatchCount]: BigInt(count) } : {}),
    };
    const name = `send ${topic}`;
    const span = this.#open({
      ...{ run, kind: KIND.producer, traceId, parent, startMs: atMs, name, attributes },
    });
    const sentMs = this.#close(span, atMs + 2);
    for (let i = 0; i < count; i++) {
      const offset = this.#all.nextOffset();
      const sent = { by: this, span, topic, partition: String(i % 3), offset, sentMs };
      if (topic === "lines") this.#all.lines.push(sent);
      else for (const by of TOPIC_CONSUMERS[topic] ?? []) this.#consume(sent, by, depth);
    }
    return sentMs;
  }

  /** Once, or again where the consumer was cut off before it committed. */
  #consume(sent: Sent, service: string, depth: number): void {
    const world = this.#world;
    let startMs = sent.sentMs + world.random() * QUEUE_MS_MAX;
    for (let left = world.chance(0.05) ? 2 : 1; left > 0; left--) {
      const span = this.#open({
        run: this.#runOf(service),
        kind: KIND.consumer,
        traceId: sent.span.traceId,
        parent: sent.span,
        startMs,
        name: `process ${sent.topic}`,
        attributes: {
          [SEMANTIC.messagingDestination]: sent.topic,
          [SEMANTIC.messagingPartition]: sent.partition,
          [SEMANTIC.messagingKafkaOffset]: sent.offset,
          [ATTRIBUTE.callerRunId]: sent.span.run.runId,
        },
      });
      startMs = this.#close(span, this.#work(span, startMs + 1, depth + 1)) + 50;
    }
  }

  /** A transaction that is opened inside of another one's span. */
  #nested(outer: OpenSpan, atMs: number): void {
    const other = this.#all.begin();
    other.#log({ run: outer.run, span: outer, atMs: atMs + 0.2, isAfterSpan: true });
    for (let i = 0; i < 2; i++) {
      const attributes = i === 0 ? { [ATTRIBUTE.transactionStart]: true } : {};
      const span = other.#open({
        ...{ run: outer.run, kind: KIND.internal, traceId: outer.traceId, parent: outer },
        ...{ startMs: atMs + 1 + i, name: "job", attributes },
      });
      other.#logUnder(span, atMs + 1.5 + i);
      other.#close(span, atMs + 1.9 + i);
    }
  }

  #lateLog(span: OpenSpan, atMs: number): void {
    const lateMs = atMs + 500 + this.#world.random() * LATE_LOG_MS_MAX;
    this.#log({ run: span.run, span, atMs: lateMs, isAfterSpan: true });
  }

  #logUnder(span: OpenSpan, atMs: number): void {
    span.logs++;
    this.#log({ run: span.run, span, atMs, isAfterSpan: false });
  }

  #log(of: { run: Run; span: OpenSpan | null; atMs: number; isAfterSpan: boolean }): void {
    const { run, span, atMs, isAfterSpan } = of;
    this.#world.emit({
      ...{ kind: "log", run, transactionId: this.id, isAfterSpan, isError: false },
      ...{ traceId: span?.traceId ?? "", spanId: span?.spanId ?? "", parentSpanId: "" },
      ...{ name: "worked", spanKind: 0, startMs: atMs, endMs: atMs, leftMs: atMs },
      ...{ attributes: {}, links: [] },
    });
  }

  #open(of: {
    run: Run;
    kind: number;
    traceId: string;
    startMs: number;
    name: string;
    parent?: OpenSpan;
    attributes?: FixtureAttributes;
    links?: Emission["links"];
  }): OpenSpan {
    const { parent, attributes = {}, links = [], ...rest } = of;
    const parentSpanId = parent?.spanId ?? "";
    const spanId = this.#world.id(16);
    return { ...rest, spanId, parentSpanId, attributes: { ...attributes }, links, logs: 0 };
  }

  /** A span that is not sampled waits in memory, and leaves its summary. */
  #close(span: OpenSpan, endMs: number): number {
    const { kind: spanKind, logs, attributes, ...rest } = span;
    this.#world.emit({
      ...rest,
      ...{ kind: "span", spanKind, transactionId: this.id, endMs },
      ...{ leftMs: this.#isSampled ? endMs : endMs + HELD_MS, isAfterSpan: false, isError: false },
      attributes: {
        ...attributes,
        [ATTRIBUTE.spanLogs]: BigInt(logs),
        ...(this.#isSampled ? {} : { [ATTRIBUTE.spanSummary]: true }),
      },
    });
    return endMs;
  }

  #runOf(service: string): Run {
    return this.#world.pick(this.#world.runs.filter((run) => run.service === service));
  }
}
