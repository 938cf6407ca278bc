import type { PathKind } from "../query/timing/critical-path.ts";
import type { ClockView } from "../query/timing/transaction-timing.ts";
import type { TransactionDetail } from "../query/transaction-view.ts";
import { formatDuration } from "./format-duration.ts";
import { safeLine, wrap } from "./safe-text.ts";
import type { Terminal } from "./terminal.ts";

const MEANING: Readonly<Record<PathKind, string>> = {
  work: "work",
  network: "on the way",
  queue: "in queues",
  wait: "nothing known",
};

/** Where the time went, in a line, and which clocks are wrong; nothing where no hop is known. */
export function describeTiming(
  { hops, timing }: Pick<TransactionDetail, "hops" | "timing">,
  { columns, colour }: Pick<Terminal, "columns" | "colour">,
): string[] {
  const spent = Object.entries(timing.pathMs).filter(([, ms]) => ms > 0);
  if (hops.length === 0 || spent.length === 0) return [];
  const kinds = spent.map(([kind, ms]) => `${MEANING[kind as PathKind]} ${formatDuration(ms)}`);
  const longest = timing.criticalPath.toSorted((a, b) => b.durationMs - a.durationMs)[0];
  const where = longest === undefined ? "" : `${safeLine(longest.service)} ${longest.operation}`;
  const most = longest === undefined ? "" : `; most of it: ${safeLine(where)}`;
  const lines = wrap(`Time: ${kinds.join(", ")}${most}`, columns - 2);
  const clocks = timing.clocks.flatMap((clock) => wrap(describeClock(clock), columns - 2));
  return [
    ...lines.map((line) => colour("dim", `  ${line}`)),
    ...clocks.map((line) => colour("yellow", `  ${line}`)),
  ];
}

function describeClock({ services, offsetMs, uncertaintyMs }: ClockView): string {
  const way = offsetMs > 0 ? "ahead" : "behind";
  const least = uncertaintyMs === null ? "at least " : "";
  const about = uncertaintyMs === null ? "" : ` ± ${formatDuration(uncertaintyMs)}`;
  const names = services.map(safeLine).join(", ");
  return `the clock of ${names} is ${least}${formatDuration(Math.abs(offsetMs))}${about} ${way}`;
}
