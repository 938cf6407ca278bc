import type { Context, Span } from "@opentelemetry/api";
import {
  findContext,
  TRANSACTION_KEY,
  type Transaction,
} from "../transaction/transaction-context.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import { closeCount, noteTransaction } from "./span-logs.ts";

/**
 * For services that run an OpenTelemetry SDK of their own: give it to `NodeSDK` as one of its
 * `spanProcessors`, before the exporting one, and every span carries its transaction ID.
 */
export class TransactionSpanProcessor {
  onStart(span: Pick<Span, "setAttribute">, parent: Context): void {
    const given = parent.getValue(TRANSACTION_KEY) as Transaction | undefined;
    const transaction = given ?? findContext()?.transaction;
    if (transaction === undefined) return;
    span.setAttribute(ATTRIBUTE.transactionId, transaction.id);
    noteTransaction(span, transaction.id);
    if (!transaction.isStart) return;
    transaction.isStart = false;
    span.setAttribute(ATTRIBUTE.transactionStart, true);
  }

  /** How many log records `TransactionLogRecordProcessor` saw under the span. */
  onEnding(span: Pick<Span, "setAttribute">): void {
    const logs = closeCount(span);
    if (logs > 0) span.setAttribute(ATTRIBUTE.spanLogs, logs);
  }

  /** There is nothing to do: the attributes were set when the span began. */
  onEnd(): void {
    return;
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}
