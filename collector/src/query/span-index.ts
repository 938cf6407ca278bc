import type { StoredRecord } from "../record.ts";

/** Links of one span that are looked at: a batch consumer names each message's producer. */
const LINKS_PER_SPAN_MAX = 1000;

type Role = "calling" | "entered" | "inner";

const ROLES = new Map<string, Role>([
  ["client", "calling"],
  ["producer", "calling"],
  ["server", "entered"],
  ["consumer", "entered"],
]);

/**
 * The spans of one transaction by trace and span id. One id may name up to one span of each role:
 * Zipkin's B3 shares an id between a client span and its server span. Of exact repeats the first
 * counts.
 */
export class SpanIndex {
  readonly entered: StoredRecord[] = [];
  readonly calling: StoredRecord[] = [];
  readonly #byKey = new Map<string, Partial<Record<Role, StoredRecord>>>();
  readonly #withInnerCall = new Set<StoredRecord>();
  readonly #enclosing = new Map<StoredRecord, StoredRecord | undefined>();

  constructor(records: readonly StoredRecord[]) {
    for (const record of records) this.#add(record);
    for (const caller of this.calling) {
      const parent = this.parentOf(caller);
      if (parent && parent !== caller && parent.service === caller.service) {
        this.#withInnerCall.add(parent);
      }
    }
  }

  /** Who made the call that this server or consumer span answers: its parent, or its links. */
  callersOf(entered: StoredRecord): readonly StoredRecord[] {
    const shared = this.#byKey.get(key(entered.traceId, entered.spanId))?.calling;
    const parent = shared ?? this.#callingParentOf(entered);
    const callers = new Set<StoredRecord>();
    if (parent) callers.add(parent);
    for (const link of entered.span?.links.slice(0, LINKS_PER_SPAN_MAX) ?? []) {
      const linked = this.#byKey.get(key(link.traceId, link.spanId))?.calling;
      if (linked) callers.add(linked);
    }
    return [...callers];
  }

  /** Where an id names two spans, the one in the same service is the parent. */
  parentOf(record: StoredRecord): StoredRecord | undefined {
    const named = this.#byKey.get(key(record.traceId, record.parentSpanId));
    if (!named) return undefined;
    const spans = [named.entered, named.inner, named.calling];
    return spans.find((span) => span?.service === record.service) ?? spans.find(Boolean);
  }

  /** A server span within another server span of its own service: the request entered but once. */
  isInnerServer(entered: StoredRecord): boolean {
    const parent = this.parentOf(entered);
    return parent !== undefined && parent !== entered && parent.service === entered.service;
  }

  /** A client library's span over another client span: the inner one is the passage. */
  hasInnerCall(caller: StoredRecord): boolean {
    return this.#withInnerCall.has(caller);
  }

  /** The server or consumer span under which a call was made, with the path to it remembered. */
  enclosing(caller: StoredRecord): StoredRecord | undefined {
    const path: StoredRecord[] = [];
    const seen = new Set<StoredRecord>();
    let at: StoredRecord | undefined = caller;
    let found: StoredRecord | undefined;
    while (at && !seen.has(at)) {
      if (this.#enclosing.has(at)) {
        found = this.#enclosing.get(at);
        break;
      }
      if (roleOf(at) === "entered") {
        found = at;
        break;
      }
      seen.add(at);
      path.push(at);
      at = this.parentOf(at);
    }
    for (const record of path) this.#enclosing.set(record, found);
    return found;
  }

  #add(record: StoredRecord): void {
    if (record.kind !== "span" || !record.span) return;
    const role = roleOf(record);
    const at = key(record.traceId, record.spanId);
    if (at !== "") {
      const named = this.#byKey.get(at) ?? {};
      if (named[role]) return;
      named[role] = record;
      this.#byKey.set(at, named);
    }
    if (role === "entered") this.entered.push(record);
    if (role === "calling") this.calling.push(record);
  }

  /** A parent that made the call, or any parent in another service, whose client left no span. */
  #callingParentOf(entered: StoredRecord): StoredRecord | undefined {
    const named = this.#byKey.get(key(entered.traceId, entered.parentSpanId));
    if (named?.calling && named.calling !== entered) return named.calling;
    const parent = named?.inner ?? named?.entered;
    return parent && parent !== entered && parent.service !== entered.service ? parent : undefined;
  }
}

function roleOf(record: StoredRecord): Role {
  return ROLES.get(record.span?.kind ?? "") ?? "inner";
}

/** Empty where a part is missing; nothing is ever kept under the empty key. */
function key(traceId: string | null, spanId: string | null): string {
  return traceId && spanId ? `${traceId}:${spanId}` : "";
}
