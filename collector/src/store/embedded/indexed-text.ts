import { ClewError } from "../../errors.ts";
import { MessageDecoder } from "../../indexer/message-decoder.ts";
import { recordRequest } from "../../indexer/record-request.ts";
import { TransactionKeys } from "../../indexer/transaction-keys.ts";
import type { RecordRow } from "./stored-record.ts";

const NO_BYTES = new Uint8Array();
const decoder = new MessageDecoder(new TransactionKeys([]));

/**
 * The text by which the row was indexed, told from its bytes by what told it then; empty where they
 * cannot be read.
 */
export function indexedText({
  kind,
  payload,
  receivedNs,
}: Pick<RecordRow, "kind" | "payload" | "receivedNs">): string {
  const topic = kind === "log" ? "logs" : "traces";
  const owner = { resource: NO_BYTES, resourceSchemaUrl: "", scope: NO_BYTES, scopeSchemaUrl: "" };
  const value = recordRequest({ payload, ...owner });
  const headers = { requestId: "", part: 0, records: 1, receivedNs, repeat: false };
  const message = { topic, headers, value, partition: "", offset: 0 } as const;
  try {
    for (const [record] of decoder.decode(message, 1)) if (record !== undefined) return record.text;
  } catch (thrown) {
    if (!(thrown instanceof ClewError) || thrown.code !== "REQUEST_MALFORMED") throw thrown;
  }
  return "";
}
