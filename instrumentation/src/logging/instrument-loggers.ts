import type { Recorder } from "../recorder.ts";
import { patchBunyan } from "./bunyan-logs.ts";
import { instrumentConsole } from "./console-logs.ts";
import { registerOtelLogs } from "./otel-logs.ts";
import { instrumentPino } from "./pino-logs.ts";
import { patchOldPino } from "./pino-old.ts";
import { patchWinston } from "./winston-logs.ts";

/**
 * Listens to every logger that is known here: pino and the console by their channels, winston,
 * bunyan and older pinos by patches, everything else that emits through OpenTelemetry's logs API.
 */
export function instrumentLoggers(parts: {
  readonly recorder: Recorder;
  readonly report: (message: string) => void;
}): void {
  const { recorder, report } = parts;
  instrumentPino(recorder);
  patchOldPino(report);
  instrumentConsole(recorder);
  patchWinston();
  patchBunyan();
  registerOtelLogs(recorder);
}
