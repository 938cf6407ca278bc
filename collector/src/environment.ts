/** How the value of a variable is read: what `config.ts` files share. Only they have the values. */
import { readFileSync } from "node:fs";
import { ClewError } from "./errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const MIB = 1024 * 1024;

export function integer(
  env: Environment,
  name: string,
  { fallback, min, max }: { fallback: number; min: number; max: number },
): number {
  const text = env[name];
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw invalid(name, text, `a whole number from ${min} to ${max}`);
  }
  return value;
}

const BYTE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  KIB: 1024,
  MIB,
  GIB: 1024 * MIB,
};

export function bytes(
  env: Environment,
  name: string,
  { fallback, min }: { fallback: number; min: number },
): number {
  const text = env[name];
  if (text === undefined || text === "") return fallback;
  const [, digits, unit] = /^(\d+)\s*([A-Za-z]*)$/.exec(text.trim()) ?? [];
  const factor = BYTE_UNITS[(unit ?? "").toUpperCase()];
  const value = Number(digits) * (factor ?? Number.NaN);
  if (!Number.isSafeInteger(value) || value < min) {
    throw invalid(name, text, `bytes, at least ${min}, as in 1048576, 64MiB or 10GB`);
  }
  return value;
}

export function readTextFile(name: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new ClewError("CONFIG_INVALID", `${name}=${file}: the file cannot be read`, { cause });
  }
}

/**
 * A secret that is in the variable itself or in the file that `<NAME>_FILE` names, there without
 * the line feed that editors end a file with.
 */
export function findSecret(env: Environment, name: string): string | undefined {
  const file = env[`${name}_FILE`];
  if (file && env[name])
    throw invalid(name, "(secret)", `either ${name} or ${name}_FILE, not both`);
  const text = file ? readTextFile(`${name}_FILE`, file).replace(/\r?\n$/, "") : env[name];
  return text === "" ? undefined : text;
}

export function list(text: string): readonly string[] {
  return text
    .split(/[,\n]/)
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

export function invalid(name: string, value: string, allowed: string): ClewError {
  return new ClewError("CONFIG_INVALID", `${name}=${value}: allowed is ${allowed}`);
}
