import type { Compensation, Step } from "../query/derive-steps.ts";
import { findRfc3339 } from "../query/rfc3339.ts";
import type { TransactionDetail } from "../query/transaction-view.ts";
import { formatDuration, formatOffset, OFFSET_WIDTH } from "./format-duration.ts";
import { safeLine, wrap } from "./safe-text.ts";
import type { Terminal } from "./terminal.ts";

type Page = Pick<Terminal, "columns" | "colour">;

const MARK = { done: "✓", failed: "✗", compensated: "↺", running: "…" } as const;

/** The steps that services told of, in order, and what became of each; nothing where none did. */
export function describeSteps(detail: TransactionDetail, page: Page): string[] {
  if (detail.steps.length === 0) return [];
  const lines = detail.steps.flatMap((step) => describeStep(step, { detail, page }));
  return [page.colour("bold", "Steps"), ...lines, ""];
}

function describeStep(
  step: Step,
  { detail, page }: { detail: TransactionDetail; page: Page },
): string[] {
  const { columns, colour } = page;
  const { name, service, status, startedAt, compensation, error } = step;
  const startNs = findRfc3339(detail.startedAt);
  const isOver = detail.status !== "running";
  const isBad = status === "failed" || (status === "running" && isOver);
  const undone =
    compensation === null ? "" : `; ${describeUndoing(compensation, { step, isOver })}`;
  const { durationMs } = step;
  const took = describeWork({ status: status === "compensated" ? "done" : status, durationMs });
  const ended = status === "running" && isOver ? "never ended" : took;
  const text = `${MARK[status]} ${safeLine(service)}  ${safeLine(name)}  ${ended}${undone}`;
  const width = Math.max(20, columns - OFFSET_WIDTH - 2);
  const style = isBad || compensation?.status === "failed" ? "red" : undefined;
  const errors = [error, compensation?.error ?? null].filter((why) => why !== null);
  const whys = errors.flatMap((why) => wrap(why, width - 4).map((line) => `    ${line}`));
  return [...wrap(text, width), ...whys].map((line, i) => {
    const offset = i === 0 ? formatOffset(startedAt, startNs) : "";
    const margin = colour("dim", offset.padStart(OFFSET_WIDTH));
    return `${margin}  ${style === undefined ? line : colour(style, line)}`;
  });
}

/** `done in 12 ms`, `failed after 3 ms`, `running`. */
function describeWork({ status, durationMs }: Pick<Compensation, "status" | "durationMs">): string {
  if (durationMs === null || status === "running") return "running";
  return `${status} ${status === "done" ? "in" : "after"} ${formatDuration(durationMs)}`;
}

function describeUndoing(
  undoing: Compensation,
  { step, isOver }: { step: Step; isOver: boolean },
): string {
  const by = undoing.service === step.service ? "" : ` by ${safeLine(undoing.service)}`;
  if (undoing.status === "done") return `compensated${by}`;
  if (undoing.status === "failed") return `compensation failed${by}`;
  return `compensation${by} ${isOver ? "never ended" : "running"}`;
}
