import type { Hop } from "../query/hop.ts";
import { findRfc3339 } from "../query/rfc3339.ts";
import type { TransactionDetail } from "../query/transaction-view.ts";
import type { StoredRecord } from "../record.ts";
import { describeFindings } from "./describe-findings.ts";
import { levelOf, levelStyle, oneMessage } from "./describe-log-line.ts";
import { describeSteps } from "./describe-steps.ts";
import { describeTiming } from "./describe-timing.ts";
import { formatDuration, formatOffset, OFFSET_WIDTH } from "./format-duration.ts";
import { safeLine, wrap } from "./safe-text.ts";
import type { Colour, Terminal } from "./terminal.ts";

export interface FoundTransaction {
  readonly detail: TransactionDetail;
  /** Its logs, oldest first. */
  readonly records: readonly StoredRecord[];
  readonly hasMore: boolean;
}

type Page = Pick<Terminal, "columns" | "colour">;

const SERVICE_WIDTH_MAX = 20;
const LEVEL_WIDTH = 5;
/** Below this a log's message gets lines of its own. */
const COLUMNS_SIDE_BY_SIDE = 72;
const DEPTH_SHOWN_MAX = 12;

/** One transaction as a person wants to read it: how it ended, its hops, its logs in order. */
export function describeTransaction(found: FoundTransaction, page: Page): string {
  return [
    ...describeHead(found.detail, page),
    "",
    ...describeSteps(found.detail, page),
    ...describeHops(found.detail, page),
    ...describeTiming(found.detail, page),
    "",
    ...describeTimeline(found, page),
  ].join("\n");
}

function describeHead(detail: TransactionDetail, { columns, colour }: Page): string[] {
  const { counts } = detail;
  const isBad = detail.status === "failed" || detail.status === "timed-out";
  const status = colour(isBad ? "red" : "bold", detail.status);
  const deadline = detail.deadlineAt === null ? [] : [describeDeadline(detail, detail.deadlineAt)];
  const line = (label: string, text: string) => `  ${colour("dim", label.padEnd(10))}${text}`;
  const wrapped = (label: string, text: string) =>
    wrap(text, columns - 12).map((part, i) => line(i === 0 ? label : "", part));
  const errors = amount(counts.errors, "error");
  const deadLetters = amount(counts.deadLetters, "dead letter");
  const records = [
    amount(counts.logs, "log"),
    amount(counts.spans, "span"),
    errors,
    ...(counts.deadLetters > 0 ? [deadLetters] : []),
  ];
  const bad = [counts.errors > 0 ? errors : "", counts.deadLetters > 0 ? deadLetters : ""];
  const paintBad = (text: string) =>
    bad.reduce((line, part) => (part ? line.replace(part, colour("red", part)) : line), text);
  return [
    colour("bold", `Transaction ${safeLine(detail.transactionId)}`),
    ...wrapped("operation", detail.operation || "(no entry span is known)"),
    line("status", status),
    ...wrapped("verdict", `${detail.verdict}: ${detail.verdictReason}`),
    ...describeFindings(detail, { columns, colour }),
    line("started", dayTime(detail.startedAt)),
    line("duration", formatDuration(detail.durationMs)),
    ...deadline.flatMap((text) => wrapped("deadline", text)),
    ...wrapped("services", detail.services.map(safeLine).join(", ") || "(none is named)"),
    ...wrapped("records", records.join(", ")).map(paintBad),
    ...(counts.deadLetters > 0
      ? wrapped("", `${deadLetters}: refused for good, kept with the reason: clew dead-letters`)
      : []),
  ];
}

function describeDeadline({ status, isLate }: TransactionDetail, deadlineAt: string): string {
  const late = isLate ? ", and the end came after it" : "";
  const over = status === "timed-out" ? ", and nobody has said how it ended" : "";
  return `${dayTime(deadlineAt)}${late}${over}`;
}

function dayTime(time: string): string {
  return time.replace("T", " ").replace(/(\.\d{3})\d*Z$/, "$1 UTC");
}

function describeHops(detail: TransactionDetail, page: Page): string[] {
  const { colour } = page;
  const head = colour("bold", "Hops");
  if (detail.hops.length === 0) return [head, colour("dim", "  no span of it is known")];
  const startNs = findRfc3339(detail.startedAt);
  const lines = [head];
  for (const { hop, depth } of inTreeOrder(detail.hops)) {
    const isFirstFailure = hop.id === detail.firstFailingHop;
    lines.push(...describeHop({ hop, depth, startNs, isFirstFailure }, page));
  }
  if (detail.isCut) {
    lines.push(...describeCut("it has more spans than are looked at", page));
  }
  return lines;
}

function describeHop(
  {
    hop,
    depth,
    startNs,
    isFirstFailure,
  }: PlacedHop & {
    readonly startNs: bigint | undefined;
    readonly isFirstFailure: boolean;
  },
  { columns, colour }: Page,
): string[] {
  const offset = formatOffset(hop.startedAt, startNs).padStart(OFFSET_WIDTH);
  const indent = "  ".repeat(Math.min(depth, DEPTH_SHOWN_MAX));
  const from = hop.from === null ? "" : `${safeLine(hop.from)} `;
  const to = hop.to === null ? "?" : safeLine(hop.to);
  const wait = hop.waitMs === undefined ? "" : `, waited ${formatDuration(hop.waitMs)}`;
  const silent = hop.answered ? "" : " (no span of the called side)";
  const mark = hop.status === "error" ? "✗ " : "";
  const first = isFirstFailure ? "  ← it failed here first" : "";
  const duration = `${formatDuration(hop.durationMs)}${wait}${describeShares(hop)}`;
  const text = `${mark}${from}→ ${to}  ${safeLine(hop.operation)}  ${duration}${silent}${first}`;
  const width = Math.max(20, columns - OFFSET_WIDTH - 2 - indent.length);
  const style = (line: string) => (hop.status === "error" ? colour("red", line) : line);
  const error = hop.error === null ? [] : wrap(hop.error, width - 4).map((line) => `    ${line}`);
  return [...wrap(text, width), ...error].map((line, i) => {
    const margin = i === 0 ? colour("dim", offset) : " ".repeat(OFFSET_WIDTH);
    return `${margin}  ${indent}${style(line)}`;
  });
}

/** One message that went to several, several that were taken at once, and what was joined. */
function describeShares({ fanOut, fanIn, sources }: Hop): string {
  const out = fanOut === undefined ? "" : `, one of ${fanOut} that took it`;
  const taken = fanIn === undefined ? "" : `, one of ${fanIn} taken at once`;
  const joined = sources === undefined ? "" : `, made from ${sources.map(safeLine).join(", ")}`;
  return `${out}${taken}${joined}`;
}

interface PlacedHop {
  readonly hop: Hop;
  readonly depth: number;
}

/** Each hop under the one within which it was made; a parent that is not there makes it a root. */
function inTreeOrder(hops: readonly Hop[]): PlacedHop[] {
  const ids = new Set(hops.map((hop) => hop.id));
  const children = Map.groupBy(hops, (hop) =>
    hop.parentId !== null && ids.has(hop.parentId) ? hop.parentId : null,
  );
  const ordered: PlacedHop[] = [];
  const placed = new Set<string>();
  const stack: PlacedHop[] = [];
  const push = (items: readonly Hop[], depth: number) => {
    for (const hop of items.toReversed()) stack.push({ hop, depth });
  };
  push(children.get(null) ?? [], 0);
  for (let next = stack.pop(); next; next = stack.pop()) {
    if (placed.has(next.hop.id)) continue;
    placed.add(next.hop.id);
    ordered.push(next);
    push(children.get(next.hop.id) ?? [], next.depth + 1);
  }
  // What is left names each other as parents; it is shown all the same.
  for (const hop of hops) if (!placed.has(hop.id)) ordered.push({ hop, depth: 0 });
  return ordered;
}

function describeTimeline({ detail, records, hasMore }: FoundTransaction, page: Page): string[] {
  const { colour } = page;
  const head = colour("bold", "Logs");
  if (records.length === 0) return [head, colour("dim", "  none")];
  const startNs = findRfc3339(detail.startedAt);
  const longest = Math.max(...records.map((record) => safeLine(record.service).length));
  const serviceWidth = Math.min(SERVICE_WIDTH_MAX, longest);
  const lines = records.flatMap((record) => describeLog({ record, startNs, serviceWidth }, page));
  const shown = `${records.length} of ${detail.counts.logs} logs are shown`;
  const cut = hasMore ? describeCut(`${shown}; see --limit`, page) : [];
  return [head, ...lines, ...cut];
}

function describeLog(
  log: { record: StoredRecord; startNs: bigint | undefined; serviceWidth: number },
  { columns, colour }: Page,
): string[] {
  const { record, startNs, serviceWidth } = log;
  const offset = colour("dim", formatOffset(record.time, startNs).padStart(OFFSET_WIDTH));
  const service = fit(safeLine(record.service), serviceWidth);
  const level = levelOf(record);
  const mark = record.isError ? "✗" : " ";
  const style = levelStyle(record);
  const paint: Colour = (_, text) => (style ? colour(style, text) : text);
  const marked = paint("bold", `${mark}${level.padEnd(LEVEL_WIDTH)}`);
  const front = `${offset}  ${colour("cyan", service)} ${marked}`;
  const message = oneMessage(record);
  if (columns < COLUMNS_SIDE_BY_SIDE) {
    return [front, ...wrap(message, columns - 4).map((line) => `    ${paint("bold", line)}`)];
  }
  const indent = OFFSET_WIDTH + 2 + serviceWidth + 1 + 1 + LEVEL_WIDTH + 1;
  return wrap(message, columns - indent).map((line, i) =>
    i === 0 ? `${front} ${paint("bold", line)}` : `${" ".repeat(indent)}${paint("bold", line)}`,
  );
}

function describeCut(why: string, { columns, colour }: Page): string[] {
  return wrap(`… cut here: ${why}`, columns - 2).map((line) => colour("yellow", `  ${line}`));
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
