import type { Baggage, BaggageEntry } from "@opentelemetry/api";
import { counts } from "../stats.ts";
import { ATTRIBUTE } from "../wire-names.ts";

/** W3C Baggage §3.3.2: what every platform must pass on, and the most that is passed on here. */
const MEMBERS_MAX = 64;
const BAGGAGE_BYTES_MAX = 8192;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** baggage-octet: printable ASCII without space, double quote, comma, semicolon, backslash. */
const VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;
const OWN_PREFIX = `${ATTRIBUTE.transactionId}=`;

export interface ParsedBaggage {
  /** The transaction member's value as sent, not yet judged. */
  readonly transactionId: string | undefined;
  /** Every other member, or undefined where there is none. */
  readonly others: Baggage | undefined;
}

const NOTHING: ParsedBaggage = { transactionId: undefined, others: undefined };

/**
 * Reads a `baggage` header (W3C Baggage §3.3): `key=value;property,key=value`. Members that are
 * malformed or beyond the limits are left out and counted; the rest is kept.
 */
export function parseBaggage(header: unknown): ParsedBaggage {
  if (typeof header !== "string" || header === "") return NOTHING;
  if (header.startsWith(OWN_PREFIX) && !header.includes(",") && !header.includes(";")) {
    return {
      transactionId: decodeValue(header.slice(OWN_PREFIX.length).trim()),
      others: undefined,
    };
  }
  let transactionId: string | undefined;
  const entries = new Map<string, BaggageEntry>();
  for (const member of header.slice(0, BAGGAGE_BYTES_MAX).split(",", MEMBERS_MAX)) {
    const parsed = parseMember(member);
    if (parsed === undefined) counts.baggageDropped++;
    else if (parsed.key === ATTRIBUTE.transactionId) transactionId = parsed.entry.value;
    else entries.set(parsed.key, parsed.entry);
  }
  return { transactionId, others: entries.size === 0 ? undefined : new Members(entries) };
}

/**
 * Writes a `baggage` header: the transaction first, so that a limit on the way never cuts it, then
 * the other members with their properties.
 */
export function formatBaggage(transactionId: string, others: Baggage | undefined): string {
  let header = `${OWN_PREFIX}${transactionId}`;
  if (others === undefined) return header;
  let members = 1;
  for (const [key, entry] of others.getAllEntries()) {
    if (key === ATTRIBUTE.transactionId) continue;
    const metadata = entry.metadata?.toString() ?? "";
    const member = `,${key}=${encodeURIComponent(entry.value)}${metadata && `;${metadata}`}`;
    const fits = members < MEMBERS_MAX && header.length + member.length <= BAGGAGE_BYTES_MAX;
    if (!fits || !TOKEN.test(key) || !isPrintable(metadata)) {
      counts.baggageDropped++;
      continue;
    }
    header += member;
    members++;
  }
  return header;
}

/** The API's own Baggage, so that the user's `propagation.getBaggage()` sees what came in. */
class Members implements Baggage {
  readonly #entries: Map<string, BaggageEntry>;

  constructor(entries: Map<string, BaggageEntry>) {
    this.#entries = entries;
  }

  getEntry(key: string): BaggageEntry | undefined {
    return this.#entries.get(key);
  }

  getAllEntries(): [string, BaggageEntry][] {
    return [...this.#entries];
  }

  setEntry(key: string, entry: BaggageEntry): Baggage {
    return new Members(new Map(this.#entries).set(key, entry));
  }

  removeEntry(key: string): Baggage {
    return this.removeEntries(key);
  }

  removeEntries(...keys: string[]): Baggage {
    const left = new Map(this.#entries);
    for (const key of keys) left.delete(key);
    return new Members(left);
  }

  clear(): Baggage {
    return new Members(new Map());
  }
}

const METADATA_TYPE = Symbol.for("BaggageEntryMetadata");

function parseMember(member: string): { key: string; entry: BaggageEntry } | undefined {
  const semicolon = member.indexOf(";");
  const pair = semicolon === -1 ? member : member.slice(0, semicolon);
  const equals = pair.indexOf("=");
  if (equals < 1) return undefined;
  const key = pair.slice(0, equals).trim();
  const raw = pair.slice(equals + 1).trim();
  if (!TOKEN.test(key) || !VALUE.test(raw)) return undefined;
  const value = decodeValue(raw);
  if (semicolon === -1) return { key, entry: { value } };
  const text = member.slice(semicolon + 1).trim();
  const metadata = { __TYPE__: METADATA_TYPE, toString: () => text };
  return { key, entry: { value, metadata: metadata as NonNullable<BaggageEntry["metadata"]> } };
}

/** Percent-decoding that leaves what is not valid percent-encoded UTF-8 as it is. */
function decodeValue(raw: string): string {
  if (!raw.includes("%")) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw; // W3C Baggage §3.3.1.3 lets a receiver keep bytes that do not decode.
  }
}

function isPrintable(metadata: string): boolean {
  return /^[\x20-\x2b\x2d-\x7e\t]*$/.test(metadata);
}
