import { EventEmitter } from "node:events";
import type { Context, ContextManager } from "@opentelemetry/api";
import { bindEmitter } from "../transaction/bound-emitter.ts";
import {
  activeContext,
  findContext,
  runIn,
  TransactionContext,
} from "../transaction/transaction-context.ts";

/** Lets the API's `context.active()` and `context.with()` use the same storage as our hooks. */
export class TransactionContextManager implements ContextManager {
  active(): Context {
    return activeContext();
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    body: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return runIn(continued(context), () => body.apply(self, args));
  }

  bind<T>(context: Context, target: T): T {
    const within = continued(context);
    if (target instanceof EventEmitter) {
      bindEmitter(target, { context: within, keepsInner: true });
      return target;
    }
    if (typeof target !== "function") return target;
    const bound = function (this: unknown, ...args: unknown[]) {
      return runIn(within, () => target.apply(this, args));
    };
    return Object.defineProperty(bound, "length", { value: target.length }) as T;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}

/**
 * Other agents begin from the root context when a request comes in: what they make of it goes on
 * with the transaction of the code that runs it, and with its span where they give the same one.
 */
function continued(context: Context): TransactionContext {
  const wanted = TransactionContext.from(context);
  const running = findContext();
  if (running === undefined || wanted === running) return wanted;
  const transaction = wanted.transaction ?? running.transaction;
  const span = isSameSpan(wanted, running) ? running.span : wanted.span;
  if (transaction === wanted.transaction && span === wanted.span) return wanted;
  return wanted.with({ transaction, span });
}

/** A span of ours remembers more than its bare context, which is all that others pass on. */
function isSameSpan(wanted: TransactionContext, running: TransactionContext): boolean {
  if (wanted.span === undefined || running.span === undefined) return false;
  const { spanId, traceId } = wanted.span.spanContext();
  const own = running.span.spanContext();
  return own.spanId === spanId && own.traceId === traceId;
}
