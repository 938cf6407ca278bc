const UNREADABLE = "[unreadable]";

/** A getter may throw: one bad property must not take the others with it. */
export function readObjectValue(object: object, key: string): unknown {
  try {
    return Reflect.get(object, key);
  } catch {
    return UNREADABLE;
  }
}

/** What an error says, what it was caused by, and what the service put on it. */
export function errorEntries(error: Error): [string, unknown][] {
  const own = Object.keys(error).map((key): [string, unknown] => [
    key,
    readObjectValue(error, key),
  ]);
  const named: [string, unknown][] = [
    ["type", error.name],
    ["message", error.message],
    ["stack", error.stack],
    ["cause", error.cause],
    ["errors", error instanceof AggregateError ? error.errors : undefined],
  ];
  const taken = new Set(named.map(([key]) => key));
  return [...named, ...own.filter(([key]) => !taken.has(key))];
}

export function dateText(date: Date): string {
  return Number.isNaN(date.getTime()) ? "[invalid date]" : date.toISOString();
}

/** How many values there are to come, as far as that can be known beforehand. */
export function countOf(values: Iterable<unknown>): number {
  if (values instanceof Map || values instanceof Set) return values.size;
  return "length" in values ? Number(values.length) : 0;
}

/** Typed arrays, without the `DataView` that has no members. */
export function isNumberList(object: object): object is Iterable<number | bigint> {
  return ArrayBuffer.isView(object) && Symbol.iterator in object;
}

/** What `JSON.stringify` would write in the object's place. */
export function hasReplacement(object: object): object is { toJSON(): unknown } {
  return "toJSON" in object && typeof object.toJSON === "function";
}

/** A BigInt may have millions of digits, which take long to be written out: such a one is named. */
export function bigIntText(value: bigint): string {
  const isShort = BigInt.asIntN(BIGINT_BITS_MAX, value) === value;
  return isShort ? String(value) : "[bigint, too long]";
}

const BIGINT_BITS_MAX = 4096;
