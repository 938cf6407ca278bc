import {
  ATTRIBUTE,
  HEADER,
  LOG_FIELD_TRANSACTION_ID,
  TRANSACTION_ID_PATTERN,
} from "@clew/instrumentation/names";

/** Longest text that is looked through; a pasted log of megabytes must not hang the page. */
const TEXT_CHARS_MAX = 100_000;
const NAMED = new RegExp(
  `(?:${[
    ATTRIBUTE.transactionId,
    HEADER.transactionId,
    HEADER.correlationId,
    LOG_FIELD_TRANSACTION_ID,
    "transactionId",
    "correlation_id",
    "correlationId",
  ]
    .map((name) => name.replaceAll(".", "\\."))
    .join("|")})\\\\?["']?\\s*[:=]\\s*\\\\?["']?([A-Za-z0-9][A-Za-z0-9._:-]{0,63})`,
  "i",
);
const UUID = /(?<![0-9a-f-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f-])/i;
const PAGE_ADDRESS = /\/transactions\/([^/?#\s"'<>]+)/;

export interface FoundId {
  readonly id: string;
  /** The text says that this is an ID, so that no key press is needed to confirm it. */
  readonly isCertain: boolean;
}

/**
 * The transaction ID in any text: an address of this page, a log line or header that names it, a
 * UUID, else the text itself or its one word with a digit in it.
 */
export function findTransactionId(text: string): FoundId | undefined {
  const trimmed = text.slice(0, TEXT_CHARS_MAX).trim();
  const certain =
    fromAddress(trimmed) ??
    NAMED.exec(trimmed)?.[1]?.replace(/[.:]+$/, "") ??
    UUID.exec(trimmed)?.[0];
  if (certain !== undefined) return { id: certain, isCertain: true };
  if (TRANSACTION_ID_PATTERN.test(trimmed)) return { id: trimmed, isCertain: false };
  const word = trimmed.split(/[\s"'`,;()[\]{}<>=]+/).find(isLikeAnId);
  return word === undefined ? undefined : { id: word, isCertain: false };
}

function fromAddress(text: string): string | undefined {
  const encoded = PAGE_ADDRESS.exec(text)?.[1];
  if (encoded === undefined || !/^(?:[^%]|%[0-7][0-9a-f])+$/i.test(encoded)) return undefined;
  const id = decodeURIComponent(encoded);
  return TRANSACTION_ID_PATTERN.test(id) ? id : undefined;
}

function isLikeAnId(word: string): boolean {
  return (
    word.length >= 6 &&
    /\d/.test(word) &&
    /[A-Za-z]/.test(word) &&
    TRANSACTION_ID_PATTERN.test(word)
  );
}
