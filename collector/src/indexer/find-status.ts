import type { TransactionStatus } from "../record.ts";
import { findScalarText } from "./any-value.ts";
import type { AttributeScan } from "./attribute-scan.ts";

/** What a record itself may say of how its transaction ended. */
const STATUSES: ReadonlySet<string> = new Set<TransactionStatus>([
  "completed",
  "failed",
  "compensated",
  "timed-out",
]);

/** The status under the wanted key `index`; empty where there is none that is known. */
export function findStatus(
  buffer: Buffer,
  scan: AttributeScan,
  index: number,
): TransactionStatus | "" {
  if (!scan.has(index)) return "";
  const text = findScalarText(buffer, scan.range(index));
  return isStatus(text) ? text : "";
}

function isStatus(text: string | undefined): text is TransactionStatus {
  return text !== undefined && STATUSES.has(text);
}
