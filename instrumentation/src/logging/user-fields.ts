import { format } from "node:util";

type Values = Record<string, unknown>;

const UNREADABLE = "[unreadable]";

/**
 * A plain copy of what a service's object holds, without some of its fields: getters that throw
 * leave a mark, a proxy that throws leaves what was read before. The object stays as it is.
 */
export function copyFields(source: object, without: ReadonlySet<string>): Values {
  const copy: Values = {};
  try {
    for (const key of Object.keys(source)) if (!without.has(key)) copy[key] = read(source, key);
  } catch {
    copy["…"] = UNREADABLE; // A proxy's trap threw: what it gave before is kept.
  }
  return copy;
}

/** One field of a service's object, or undefined where it cannot be read. */
export function findField(source: object, key: string | symbol): unknown {
  try {
    return Reflect.get(source, key);
  } catch {
    return undefined; // Reading it is what the service's own logger will trip over as well.
  }
}

/** What `console.log` would print; the service's own `inspect` hooks run in here and may throw. */
export function formatSafely(parts: readonly unknown[], otherwise = UNREADABLE): string {
  try {
    return format(...parts);
  } catch {
    return otherwise;
  }
}

function read(source: object, key: string): unknown {
  try {
    return Reflect.get(source, key);
  } catch {
    return UNREADABLE;
  }
}
