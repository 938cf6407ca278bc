import { SEMANTIC } from "@clew/instrumentation/names";
import type { StoredRecord } from "../../../src/record.ts";

const BARE_METHOD = /^[A-Z]+$/;

/**
 * A span's name. A client's is only its method by OpenTelemetry's conventions, which says little on
 * a page where each span stands alone: then the path it asked for is added.
 */
export function spanTitle({ message, attributes }: StoredRecord): string {
  const url = attributes[SEMANTIC.urlFull];
  if (typeof url !== "string" || !BARE_METHOD.test(message)) return message;
  return URL.canParse(url) ? `${message} ${new URL(url).pathname}` : message;
}

/** Why a span failed, in the fewest words it gives; undefined where it says nothing of it. */
export function findFailure({ span, attributes }: StoredRecord): string | undefined {
  if (span?.statusMessage) return span.statusMessage;
  const status = attributes[SEMANTIC.httpStatusCode];
  if (typeof status === "number" && status >= 400) return `HTTP ${status}`;
  const type = attributes[SEMANTIC.errorType];
  return typeof type === "string" && type !== "" ? type : undefined;
}
