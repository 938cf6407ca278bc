import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/**
 * Which process something belongs to. A pid alone is given out again, and counts anew in each
 * container, so it says something only beside the rest. Where there is no /proc, the rest is "".
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the process started, in the kernel's ticks since boot. */
  readonly startTicks: string;
  /** Of the running kernel: another machine, and this one after a reboot, have another. */
  readonly bootId: string;
  readonly pidNamespace: string;
  readonly host: string;
  /** Whether it could bind the lock socket: only then its absence says anything. */
  readonly hasLock: boolean;
}

/** Field 22 of /proc/<pid>/stat, counted from the end of the name, which may hold anything. */
const START_TICKS_AFTER_NAME = 19;

export function ownIdentity(hasLock = false): ProcessIdentity {
  return {
    pid: process.pid,
    startTicks: findStartTicks(process.pid) ?? "",
    bootId: readOr("", () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    pidNamespace: readOr("", () => readlinkSync("/proc/self/ns/pid")),
    host: hostname(),
    hasLock,
  };
}

/** Undefined where the value is not what `ownIdentity` gives. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const parsed: unknown = readOr(undefined, () => JSON.parse(text) as unknown);
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const field = (name: string): unknown =>
    Object.entries(parsed).find(([key]) => key === name)?.[1];
  const string = (name: string) => (typeof field(name) === "string" ? String(field(name)) : "");
  const pid = field("pid");
  if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return {
    pid,
    startTicks: string("startTicks"),
    bootId: string("bootId"),
    pidNamespace: string("pidNamespace"),
    host: string("host"),
    hasLock: field("hasLock") === true,
  };
}

/** Whether the other runs on the same kernel: then what the kernel says of it is true. */
export function isSameKernel(own: ProcessIdentity, other: ProcessIdentity): boolean {
  if (own.bootId === "" || other.bootId === "") return own.host === other.host;
  return own.bootId === other.bootId;
}

/** Undefined where the process table cannot tell: another namespace, or this very process. */
export function isRunning(own: ProcessIdentity, other: ProcessIdentity): boolean | undefined {
  if (!isSameKernel(own, other) || own.pidNamespace !== other.pidNamespace) return undefined;
  if (own.startTicks === "") return other.pid === own.pid ? undefined : isKnownPid(other.pid);
  if (findStartTicks(other.pid) !== other.startTicks) return false;
  return other.pid === own.pid ? undefined : true;
}

function findStartTicks(pid: number): string | undefined {
  return readOr(undefined, () => {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended, and waits only for its parent to ask how.
    return fields[0] === "Z" ? undefined : fields[START_TICKS_AFTER_NAME];
  });
}

function isKnownPid(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function readOr<T>(fallback: T, read: () => T): T {
  try {
    return read();
  } catch {
    return fallback; // There is no /proc on this system, or no such process.
  }
}
