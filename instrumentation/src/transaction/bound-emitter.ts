import type { EventEmitter } from "node:events";
import { countFault } from "../stats.ts";
import { findContext, runIn, type TransactionContext } from "./transaction-context.ts";

export interface EmitterBinding {
  readonly context: TransactionContext;
  /** Code of the same transaction object that emits by itself keeps its own, deeper context. */
  readonly keepsInner: boolean;
  /** How many listeners Node itself has on an event: those need no context. */
  readonly internalListeners?: Readonly<Record<string | symbol, number>>;
  /** Told of every event before its listeners run. What it throws is counted, not thrown. */
  beforeEvent?(event: string | symbol, first: unknown): void;
  /** Told of every event once its listeners ran, even where one of them threw. Likewise. */
  onEvent?(event: string | symbol, first: unknown): void;
}

type Emit = EventEmitter["emit"];
type EmitArguments = Parameters<Emit>;

const BINDING = Symbol("clew.binding");

interface Bound extends EventEmitter {
  [BINDING]?: { readonly binding: EmitterBinding; readonly emit: Emit };
}

/**
 * Gives every listener of an emitter its transaction back, however the event came about. Node
 * emits a body's `data` and a response's `finish` from the socket's own callbacks, which belong to
 * the connection and not to the request. An own property is the one place that sees all of them.
 * The function is the same for all emitters: a closure for each would cost every request.
 */
export function bindEmitter(emitter: EventEmitter, binding: EmitterBinding): void {
  const bound: Bound = emitter;
  const { emit } = bound;
  if (bound[BINDING] === undefined) {
    bound[BINDING] = { binding, emit };
    bound.emit = emitBound;
    return;
  }
  // Bound a second time: the new binding surrounds the old one.
  bound.emit = (...args) => emitWithin({ emitter: bound, binding, emit, args });
}

function emitBound(this: Bound, ...args: EmitArguments): boolean {
  const own = this[BINDING];
  // An object that inherits from a bound one has no binding of its own.
  if (own === undefined) return Object.getPrototypeOf(this).emit.apply(this, args);
  return emitWithin({ emitter: this, binding: own.binding, emit: own.emit, args });
}

interface Emission {
  readonly emitter: EventEmitter;
  readonly binding: EmitterBinding;
  readonly emit: Emit;
  readonly args: EmitArguments;
}

function emitWithin({ emitter, binding, emit, args }: Emission): boolean {
  const { context } = binding;
  if (binding.beforeEvent !== undefined) tell(binding, "beforeEvent", args);
  const isHere = isCurrent(binding) || !hasListeners(emitter, binding, args[0]);
  if (binding.onEvent === undefined) {
    return isHere ? emit.apply(emitter, args) : runIn(context, () => emit.apply(emitter, args));
  }
  try {
    return isHere ? emit.apply(emitter, args) : runIn(context, () => emit.apply(emitter, args));
  } finally {
    tell(binding, "onEvent", args);
  }
}

function tell(binding: EmitterBinding, when: "beforeEvent" | "onEvent", args: EmitArguments) {
  try {
    binding[when]?.(args[0], args[1]);
  } catch (error) {
    countFault("context", error);
  }
}

/** Entering a context costs two objects, and most events of a request have no listener. */
function hasListeners(emitter: EventEmitter, binding: EmitterBinding, event: string | symbol) {
  return emitter.listenerCount(event) > (binding.internalListeners?.[event] ?? 0);
}

function isCurrent({ context, keepsInner }: EmitterBinding): boolean {
  const current = findContext();
  if (current === context) return true;
  return keepsInner && current !== undefined && current.transaction === context.transaction;
}
