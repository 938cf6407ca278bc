import { guard } from "../stats.ts";
import { RecordedSpan } from "../tracing/recorded-span.ts";
import { findContext } from "../transaction/transaction-context.ts";
import { findOpenExchange } from "./server-exchange.ts";

/**
 * Notes an error that nobody caught on the request whose code threw it: in the handler, in a timer
 * or in a promise. Where the process ends by it, so does the span, for there is no later.
 */
export function watchUncaughtErrors(): void {
  process.on("uncaughtExceptionMonitor", guard("http-server", noteUncaught));
  // A listener of our own would take the deadly default away from an unhandled rejection.
  const emit = process.emit;
  const noteRejection = guard("http-server", (error: unknown) => {
    findOpenExchange(findContext()?.transaction)?.noteError(error);
  });
  process.emit = function emitWatched(this: NodeJS.Process, ...args: unknown[]) {
    if (args[0] === "unhandledRejection") noteRejection(args[1]);
    return Reflect.apply(emit, this, args);
  } as typeof emit;
}

function noteUncaught(error: unknown): void {
  const context = findContext();
  const exchange = findOpenExchange(context?.transaction);
  if (exchange === undefined) return;
  exchange.noteError(error);
  if (!isFatal()) return;
  const { span } = context ?? {};
  if (span instanceof RecordedSpan && span !== exchange.span) span.end();
  exchange.end({ status: 0, isComplete: false });
}

/** The service may have said that it goes on after an uncaught error. */
function isFatal(): boolean {
  const goesOn = process.listenerCount("uncaughtException") > 0;
  return !goesOn && !process.hasUncaughtExceptionCaptureCallback();
}
