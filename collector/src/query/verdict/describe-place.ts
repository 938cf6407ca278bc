import { formatRfc3339 } from "../rfc3339.ts";

const RUN_ID_CHARS_SHOWN = 8;
const CLOCK_START = "2026-01-31T".length;
const CLOCK_END = "2026-01-31T12:00:00.000".length;

/** `payments (run 3f2a8c1e)`: the whole id stands beside the text, in its own field. */
export function placeOf(service: string, runId: string): string {
  const run = runId === "" ? "" : `run ${runId.slice(0, RUN_ID_CHARS_SHOWN)}`;
  if (service === "") return run === "" ? "an unknown service" : run;
  return run === "" ? service : `${service} (${run})`;
}

/** `12:00:00.000 UTC`: the day is the transaction's, or stands in the field beside the text. */
export function clockOf(ns: bigint): string {
  return `${formatRfc3339(ns).slice(CLOCK_START, CLOCK_END)} UTC`;
}
