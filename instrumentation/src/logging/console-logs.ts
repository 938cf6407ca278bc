import { subscribe } from "node:diagnostics_channel";
import type { Recorder } from "../recorder.ts";
import { guard } from "../stats.ts";
import { describeLogged } from "./exception.ts";
import { SEVERITY, type Severity } from "./log-record.ts";
import { formatSafely } from "./user-fields.ts";

const SCOPE = { name: "console", version: "" };

/**
 * Node publishes a console call's arguments before it writes them. `assert` comes as a warning;
 * `table`, `count`, `time`, `group` and `dirxml` as the `log` that they print with.
 */
const CHANNELS: readonly (readonly [string, Severity])[] = [
  ["console.log", SEVERITY.info],
  ["console.info", SEVERITY.info],
  ["console.debug", SEVERITY.debug],
  ["console.warn", SEVERITY.warn],
  ["console.error", SEVERITY.error],
];
/** What `console.trace` hands to `console.error`: nobody is to be woken for it. */
const TRACE = /^Trace(?:: [\s\S]*)?\n {4}at /;

let isMuted = false;

/**
 * Makes a log record of every console line. What is printed stays as it is: there is no JSON line
 * that an ID could stand in. `console.dir` prints without a record, for no channel tells of it.
 */
export function instrumentConsole(recorder: Recorder): void {
  for (const [channel, severity] of CHANNELS) {
    subscribe(
      channel,
      guard("console-logs", (message) => {
        if (isMuted || !Array.isArray(message)) return;
        const error = message.find((part) => part instanceof Error);
        recorder.log({
          scope: SCOPE,
          severity: isTrace(message) ? SEVERITY.trace : severity,
          body: formatSafely(message),
          attributes: error === undefined ? [] : [describeLogged(error)],
        });
      }),
    );
  }
}

/** For a logger that prints its lines, which are records already, by means of the console. */
export function withoutConsoleRecords<R>(body: () => R): R {
  const before = isMuted;
  isMuted = true;
  try {
    return body();
  } finally {
    isMuted = before;
  }
}

function isTrace(parts: readonly unknown[]): boolean {
  const [first] = parts;
  return parts.length === 1 && typeof first === "string" && TRACE.test(first);
}
