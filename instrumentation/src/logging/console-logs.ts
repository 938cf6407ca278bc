import { subscribe } from "node:diagnostics_channel";
import { format } from "node:util";
import type { Recorder } from "../recorder.ts";
import { guard } from "../stats.ts";
import { describeException } from "./exception.ts";
import { SEVERITY, type Severity } from "./log-record.ts";

const SCOPE = { name: "console", version: "" };

/** Node publishes a console call's arguments before it writes them. */
const CHANNELS: readonly (readonly [string, Severity])[] = [
  ["console.log", SEVERITY.info],
  ["console.info", SEVERITY.info],
  ["console.debug", SEVERITY.debug],
  ["console.warn", SEVERITY.warn],
  ["console.error", SEVERITY.error],
];

/** Makes a log record of every console line; what is printed stays as it is. */
export function instrumentConsole(recorder: Recorder): void {
  for (const [channel, severity] of CHANNELS) {
    subscribe(
      channel,
      guard("console-logs", (message) => {
        if (!Array.isArray(message)) return;
        const error = message.find((part) => part instanceof Error);
        recorder.log({
          scope: SCOPE,
          severity,
          body: formatSafely(message),
          attributes: error === undefined ? [] : [describeException(error)],
        });
      }),
    );
  }
}

/** The user's own `inspect` hooks run in here and may throw. */
function formatSafely(parts: unknown[]): string {
  try {
    return format(...parts);
  } catch {
    return "[unreadable]";
  }
}
