import { AsyncLocalStorage } from "node:async_hooks";
import type { Baggage, Context, Span } from "@opentelemetry/api";
import { sharedState } from "../shared-state.ts";
import { counts } from "../stats.ts";
import { isTransactionId, mintUuidV7 } from "./transaction-id.ts";

/** One transaction as this process takes part in it. */
export interface Transaction {
  readonly id: string;
  /** True until the first span takes it: the ID was minted here and nobody has said so yet. */
  isStart: boolean;
  /** What a caller sent that was not taken over. */
  readonly callerId: string | undefined;
}

/**
 * The keys under which @opentelemetry/api keeps its values. `createContextKey` is `Symbol.for`, so
 * they are known without loading it; a test compares them with what the API really uses.
 */
const SPAN_KEY = Symbol.for("OpenTelemetry Context Key SPAN");
const BAGGAGE_KEY = Symbol.for("OpenTelemetry Baggage Key");
const SUPPRESS_KEY = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING");
export const TRANSACTION_KEY = Symbol.for("clew.transaction");

const FOREIGN_KEY = Symbol("clew.foreign-context");

interface Fields {
  readonly transaction?: Transaction | undefined;
  readonly span?: Span | undefined;
  readonly baggage?: Baggage | undefined;
  readonly suppressed?: boolean | undefined;
  readonly others?: ReadonlyMap<symbol, unknown> | undefined;
}

/**
 * An OpenTelemetry context with fields for what every record needs, because reading it is on the
 * path of each log line. Immutable, as the API demands.
 */
export class TransactionContext implements Context {
  readonly transaction: Transaction | undefined;
  readonly span: Span | undefined;
  readonly baggage: Baggage | undefined;
  /** Nothing is traced under it: our own exporter's requests. */
  readonly suppressed: boolean;
  readonly #others: ReadonlyMap<symbol, unknown> | undefined;

  constructor(fields: Fields) {
    this.transaction = fields.transaction;
    this.span = fields.span;
    this.baggage = fields.baggage;
    this.suppressed = fields.suppressed === true;
    this.#others = fields.others;
  }

  /** The same values as another implementation's context. */
  static from(context: Context): TransactionContext {
    if (context instanceof TransactionContext) return context;
    const others = new Map<symbol, unknown>([[FOREIGN_KEY, context]]);
    return new TransactionContext({
      transaction: context.getValue(TRANSACTION_KEY) as Transaction | undefined,
      span: context.getValue(SPAN_KEY) as Span | undefined,
      baggage: context.getValue(BAGGAGE_KEY) as Baggage | undefined,
      suppressed: context.getValue(SUPPRESS_KEY) === true,
      others,
    });
  }

  getValue(key: symbol): unknown {
    if (key === SPAN_KEY) return this.span;
    if (key === TRANSACTION_KEY) return this.transaction;
    if (key === BAGGAGE_KEY) return this.baggage;
    if (key === SUPPRESS_KEY) return this.suppressed;
    if (this.#others === undefined) return undefined;
    if (this.#others.has(key)) return this.#others.get(key);
    const foreign = this.#others.get(FOREIGN_KEY) as Context | undefined;
    return foreign?.getValue(key);
  }

  setValue(key: symbol, value: unknown): TransactionContext {
    if (key === SPAN_KEY) return this.with({ span: value as Span | undefined });
    if (key === TRANSACTION_KEY) return this.with({ transaction: value as Transaction });
    if (key === BAGGAGE_KEY) return this.with({ baggage: value as Baggage | undefined });
    if (key === SUPPRESS_KEY) return this.with({ suppressed: value === true });
    return this.with({ others: new Map(this.#others).set(key, value) });
  }

  deleteValue(key: symbol): TransactionContext {
    return this.setValue(key, undefined);
  }

  with(fields: Fields): TransactionContext {
    return new TransactionContext({
      transaction: this.transaction,
      span: this.span,
      baggage: this.baggage,
      suppressed: this.suppressed,
      others: this.#others,
      ...fields,
    });
  }
}

export const EMPTY_CONTEXT = new TransactionContext({});

/** Two copies of this package in one process must share one storage, or IDs would be lost. */
const storage = sharedState(
  "transaction-storage",
  () => new AsyncLocalStorage<TransactionContext>(),
);

/** The context the running code belongs to, or undefined outside of any. */
export function findContext(): TransactionContext | undefined {
  return storage.getStore();
}

export function activeContext(): TransactionContext {
  return storage.getStore() ?? EMPTY_CONTEXT;
}

/** Runs `body` in a context; what it returns or throws passes unchanged. */
export function runIn<R>(context: TransactionContext, body: () => R): R {
  return storage.run(context, body);
}

/** Makes a context current for the rest of the running callback (a diagnostics channel hook). */
export function enterContext(context: TransactionContext): void {
  storage.enterWith(context);
}

/** A transaction for an ID from outside; anything unacceptable is replaced and counted. */
export function acceptTransaction(id: unknown): Transaction {
  if (isTransactionId(id)) return { id, isStart: false, callerId: undefined };
  counts.rejected++;
  return mintTransaction();
}

export function mintTransaction(callerId?: string): Transaction {
  counts.minted++;
  return { id: mintUuidV7(), isStart: true, callerId };
}
