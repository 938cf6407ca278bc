/** The files of the embedded store: one SQLite database per UTC day of receipt. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { ClewError } from "../../errors.ts";
import { MAX_INT64 } from "./day-schema.ts";

const DAY_FILE = /^(\d{4}-\d{2}-\d{2})\.db$/;
const ANY_FILE_OF_DAY = /^(\d{4}-\d{2}-\d{2})\.db(-wal|-shm)?$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const DAY_MS = 86_400_000;
const NS_PER_MS = 1_000_000n;
const SET_ASIDE_MAX = 1000;

export interface DayRange {
  readonly day: string;
  /** Inclusive. */
  readonly startNs: bigint;
  /** Exclusive. */
  readonly endNs: bigint;
}

/** The UTC day that holds a time; undefined before 1970, and from 2262 (SQLite's integers end). */
export function findDay(timeNs: bigint): DayRange | undefined {
  if (timeNs < 0n || timeNs > MAX_INT64) return undefined;
  const startMs = Math.floor(Number(timeNs / NS_PER_MS) / DAY_MS) * DAY_MS;
  return {
    day: new Date(startMs).toISOString().slice(0, 10),
    startNs: BigInt(startMs) * NS_PER_MS,
    endNs: BigInt(startMs + DAY_MS) * NS_PER_MS,
  };
}

export function isDay(text: string): boolean {
  return DAY.test(text);
}

export function dayPath(dir: string, day: string): string {
  return join(dir, `${day}.db`);
}

/** The days there is a file for, oldest first. */
export function listDays(dir: string): string[] {
  return readdirSync(dir)
    .flatMap((name) => DAY_FILE.exec(name)?.[1] ?? [])
    .toSorted();
}

/** Makes the folder, and makes its name durable, which mkdir alone does not. */
export function makeStoreFolder(dir: string): void {
  if (mkdirSync(dir, { recursive: true }) === undefined) return;
  const parent = openSync(dirname(dir), "r");
  try {
    fsyncSync(parent);
  } finally {
    closeSync(parent);
  }
}

/** Deletes every file of the days before `firstKeptDay`; answers those days, oldest first. */
export function deleteDaysBefore(dir: string, firstKeptDay: string): string[] {
  const deleted = new Set<string>();
  for (const name of readdirSync(dir).toSorted()) {
    const day = ANY_FILE_OF_DAY.exec(name)?.[1];
    if (day === undefined || day >= firstKeptDay) continue;
    rmSync(join(dir, name), { force: true });
    deleted.add(day);
  }
  return [...deleted].toSorted();
}

/**
 * Moves a damaged day out of the way and keeps it. The log goes first: a log left beside a new
 * file of the same name would be replayed into it.
 */
export function setDayAside(dir: string, day: string): string {
  const path = dayPath(dir, day);
  for (let n = 1; n <= SET_ASIDE_MAX; n++) {
    const target = `${path}.corrupt-${n}`;
    if ([target, `${target}-wal`, `${target}-shm`].some((file) => existsSync(file))) continue;
    for (const part of ["-wal", "-shm", ""]) {
      if (existsSync(path + part)) renameSync(path + part, target + part);
    }
    return target;
  }
  const why = `${SET_ASIDE_MAX} damaged files of that day are there already`;
  throw new ClewError("STORE_UNAVAILABLE", `cannot set the day ${day} aside: ${why}`);
}
