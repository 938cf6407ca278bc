/** Whether a line goes on the record before it, as the lines of a stack trace do. */

/** What a record has been so far. */
export interface OpenTrace {
  kind: TraceKind;
  readonly firstLine: string;
  lastLine: string;
  lines: number;
  /** An earlier line ended in an opening bracket. */
  isBracketOpen: boolean;
}

/**
 * `python-done`: its exception was named, and only a chained trace may follow. `go` and `node` go
 * on over blank lines.
 */
type TraceKind = "plain" | "python" | "python-done" | "go" | "node";

/** `perhaps`: a blank line, which belongs to the record only where more of it follows. */
export type Continuation = "yes" | "no" | "perhaps";

const PYTHON_START = /Traceback \(most recent call last\):$/;
const PYTHON_CHAIN = anyOf(
  "During handling of the above exception, another exception occurred:$",
  "The above exception was the direct cause of the following exception:$",
);
const GO_ROUTINE = /^goroutine \d+ .*\[.+\]:$/;
const GO_START = anyOf(
  "panic: |fatal error: |unexpected fault address |SIG[A-Z]+: ",
  GO_ROUTINE.source.slice(1),
);
const GO_MORE = anyOf(
  "goroutine \\d+ .*\\[|panic: |\\[signal |created by |exit status \\d|runtime: ",
  "[\\w.]+[\\w./*(){}[\\]$~%-]*\\(.*\\)$",
  "(?:r\\w{1,2}|eflags|cs|fs|gs) +0x",
);
/** Where Node.js says from which line of a source an error came that nobody caught. */
const NODE_START = /^(?:node:|file:\/\/|\/|[A-Za-z]:\\)\S*:\d+$/;
const NODE_MORE = anyOf(
  "(?:Uncaught )?\\[?[\\w$.]*(?:Error|Exception)\\b",
  "Node\\.js v\\d|Thrown at:",
);
/** Lines at the margin that only ever go on: Java, .NET, PHP, Rust. */
const MARGIN = anyOf(
  "Caused by: |Suppressed: |Wrapped by: ",
  "\\.\\.\\. \\d+ (?:more|common frames omitted)",
  "at [\\w$.<>/@]+\\(|--- End of ",
  "Stack trace:|#\\d+ |stack backtrace:$|note: run with ",
);
const RUBY_FRAME = /^\S+:\d+:in [`'].*'$/;
/** `java.lang.IllegalStateException: why`, on a line of its own under the message. */
const EXCEPTION_NAME = /^(?:[\w$]+\.)+[\w$]*(?:Exception|Error|Throwable|Failure|Timeout)(?::|$)/;
const SAYS_TROUBLE = /\b(?:error|err|warn|warning|fatal|severe|critical|exception|fail|failed)\b/i;
const PANICS = /panicked at .*:$/;
const CLOSING = /^[}\])]+[,;]?$/;
/** A line with a time at its start is another event, whatever came before. */
const EVENT_START = /^\W?\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/;

/** A record that begins with this line. */
export function openTrace(line: string): OpenTrace {
  const isBracketOpen = endsOpen(line);
  return { kind: kindOf(line), firstLine: line, lastLine: line, lines: 1, isBracketOpen };
}

/** Takes the line up into what is known of the record. */
export function growTrace(trace: OpenTrace, line: string): void {
  const isFlush = !isIndented(line);
  if (PYTHON_START.test(line)) trace.kind = "python";
  else if (trace.kind === "python" && isFlush) trace.kind = "python-done";
  else if (trace.kind === "plain" && GO_ROUTINE.test(line)) trace.kind = "go";
  trace.lines++;
  trace.lastLine = line;
  trace.isBracketOpen ||= endsOpen(line);
}

/** A JSON object on one line is a record of its own, whatever is around it. */
export function isJsonLine(line: string): boolean {
  return line.charCodeAt(0) === 0x7b && line.endsWith("}");
}

/** @param isAfterBlank lines were blank between the record so far and this one. */
export function findContinuation(
  trace: OpenTrace,
  line: string,
  isAfterBlank: boolean,
): Continuation {
  if (line.trim() === "") return trace.kind === "plain" ? "no" : "perhaps";
  if (isJsonLine(line)) return "no";
  return goesOn(trace, line, isAfterBlank) ? "yes" : "no";
}

function goesOn(trace: OpenTrace, line: string, isAfterBlank: boolean): boolean {
  const { kind, firstLine, lastLine, lines } = trace;
  if (EVENT_START.test(line)) return false;
  if (kind === "go" && (GO_MORE.test(line) || isIndented(line))) return true;
  if (kind === "node" && (NODE_MORE.test(line) || isIndented(line) || line === "^")) return true;
  if (kind === "python-done" && PYTHON_CHAIN.test(line)) return true;
  if (PYTHON_START.test(line) && PYTHON_CHAIN.test(lastLine)) return true;
  if (isAfterBlank) return false;
  if (isIndented(line) || kind === "python") return true;
  if (CLOSING.test(line)) return trace.isBracketOpen;
  if (MARGIN.test(line) || RUBY_FRAME.test(line) || PANICS.test(lastLine)) return true;
  if (lines > 1) return false;
  if (GO_ROUTINE.test(line)) return /\bpanic/.test(firstLine);
  return (EXCEPTION_NAME.test(line) || PYTHON_START.test(line)) && SAYS_TROUBLE.test(firstLine);
}

function kindOf(line: string): TraceKind {
  if (PYTHON_START.test(line)) return "python";
  if (GO_START.test(line)) return "go";
  return NODE_START.test(line) ? "node" : "plain";
}

function isIndented(line: string): boolean {
  const first = line.charCodeAt(0);
  return first === 0x20 || first === 0x09;
}

function endsOpen(line: string): boolean {
  return /[{[(]$/.test(line);
}

/** A line that begins as one of the patterns says. */
function anyOf(...patterns: readonly string[]): RegExp {
  return new RegExp(`^(?:${patterns.join("|")})`);
}
