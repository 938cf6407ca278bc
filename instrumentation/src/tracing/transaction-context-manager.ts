import { EventEmitter } from "node:events";
import type { Context, ContextManager } from "@opentelemetry/api";
import { bindEmitter } from "../transaction/bound-emitter.ts";
import { activeContext, runIn, TransactionContext } from "../transaction/transaction-context.ts";

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
    return runIn(TransactionContext.from(context), () => body.apply(self, args));
  }

  bind<T>(context: Context, target: T): T {
    const within = TransactionContext.from(context);
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
