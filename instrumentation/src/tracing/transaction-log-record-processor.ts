import { type AnyValue, type Context, trace } from "@opentelemetry/api";
import {
  findContext,
  TRANSACTION_KEY,
  type Transaction,
} from "../transaction/transaction-context.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import { countLogUnder } from "./span-logs.ts";

/** What is used of the SDK's log record. */
interface WritableLogRecord {
  setAttribute(key: string, value: AnyValue): unknown;
}

/**
 * For services that run an OpenTelemetry SDK of their own: give it to `NodeSDK` as one of its
 * `logRecordProcessors`, before the exporting one, and every log record carries its transaction
 * ID. With `TransactionSpanProcessor` beside it, a span also says how many were made under it.
 */
export class TransactionLogRecordProcessor {
  onEmit(record: WritableLogRecord, context?: Context): void {
    const given = context?.getValue(TRANSACTION_KEY) as Transaction | undefined;
    const transaction = given ?? findContext()?.transaction;
    if (transaction !== undefined) record.setAttribute(ATTRIBUTE.transactionId, transaction.id);
    if (context === undefined) return;
    const isCounted = countLogUnder(trace.getSpan(context), transaction?.id);
    if (!isCounted) record.setAttribute(ATTRIBUTE.afterSpan, true);
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}
