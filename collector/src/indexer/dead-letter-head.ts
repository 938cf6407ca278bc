import { ClewError } from "../errors.ts";

/**
 * The JSON object before the bytes of a message in the topic `dead-letters`; each field is checked
 * as it is read.
 * @throws ClewError REQUEST_MALFORMED, everywhere
 */
export class DeadLetterHead {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    if (typeof value !== "object" || value === null) throw malformed("its head is not an object");
    this.#fields = { ...value };
  }

  text(name: string): string {
    const text = this.#fields[name];
    if (typeof text !== "string") throw malformed(`${name} is missing`);
    return text;
  }

  /** Unix nanoseconds as a decimal string. */
  timeNs(name: string): bigint {
    const text = this.text(name);
    if (!/^\d{1,20}$/.test(text)) throw malformed(`${name} is no time`);
    return BigInt(text);
  }

  /** A whole number from 0. */
  number(name: string): number {
    const number = this.findNumber(name);
    if (number === undefined) throw malformed(`${name} is missing`);
    return number;
  }

  /** Undefined where it is absent or null. */
  findNumber(name: string): number | undefined {
    const value = this.#fields[name] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw malformed(`${name} is no whole number`);
  }

  list(name: string): readonly unknown[] {
    const value = this.#fields[name];
    if (Array.isArray(value)) return value;
    throw malformed(`${name} are missing`);
  }

  isOf(kind: string): boolean {
    return this.#fields.kind === kind;
  }

  /** A newer version may mean something else by the same names. */
  version({ fallback, known }: { readonly fallback: number; readonly known: number }): number {
    const version = this.findNumber("version") ?? fallback;
    if (version >= 1 && version <= known) return version;
    throw malformed(`its version is ${version}, this collector knows up to ${known}`);
  }
}

export function malformed(why: string, cause?: unknown): ClewError {
  return new ClewError("REQUEST_MALFORMED", `cannot read a dead letter: ${why}`, { cause });
}
