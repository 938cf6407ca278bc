import { format } from "node:util";
import { type DiagLogger, DiagLogLevel, diag } from "@opentelemetry/api";
import { hasDiagLogger } from "../tracing/api-registration.ts";
import type { LogLevel } from "./config.ts";

const LEVELS: Readonly<Record<LogLevel, DiagLogLevel>> = {
  none: DiagLogLevel.NONE,
  error: DiagLogLevel.ERROR,
  warn: DiagLogLevel.WARN,
  info: DiagLogLevel.INFO,
  debug: DiagLogLevel.DEBUG,
  verbose: DiagLogLevel.VERBOSE,
  all: DiagLogLevel.ALL,
};
/** A collector that is down would otherwise fill stderr with the same sentence. */
const SENTENCES_MAX = 200;
const SENTENCE_CHARACTERS_MAX = 500;
const DUPLICATE = /duplicate registration of API: (\w+)/;
/** What is told of a second SDK, by what it registers; of its other parts nothing. */
const SECOND: Readonly<Record<string, string>> = {
  trace:
    "another OpenTelemetry SDK was started after @clew/instrumentation/register; it gets no " +
    "spans, because the API keeps the first. Use register alone, or leave it out and give that " +
    "SDK TransactionPropagator, TransactionSpanProcessor and TransactionLogRecordProcessor",
  metrics:
    "another OpenTelemetry MeterProvider was registered after ours; it gets no metrics, because " +
    "the API keeps the first. OTEL_METRICS_EXPORTER=none leaves metrics to it",
};

const said = new Set<string>();
let isStarting = false;
/** Undefined where the service has a logger of its own for these messages. */
let ownLevel: DiagLogLevel | undefined;
let print: (message: string) => void = () => undefined;

/**
 * Tells on stderr what OpenTelemetry's own parts have to say (`OTEL_LOG_LEVEL`), each sentence
 * once. It is also how a second SDK in the process is noticed: the API says so here and nowhere.
 */
export function reportDiagnostics(level: LogLevel, report: (message: string) => void): void {
  if (hasDiagLogger()) return;
  print = report;
  ownLevel = LEVELS[level];
  listen();
}

/** Runs a start of our own that may register again what is registered: that is meant. */
export function withoutDuplicateWarnings(start: () => void): void {
  isStarting = true;
  try {
    start();
  } finally {
    isStarting = false;
    // NodeSDK puts a logger of its own in the place of ours where OTEL_LOG_LEVEL is set.
    listen();
  }
}

function listen(): void {
  if (ownLevel === undefined) return;
  diag.setLogger(reporter, { logLevel: ownLevel, suppressOverrideMessage: true });
}

const say = (...parts: unknown[]) => sayOnce(format(...parts));
const reporter: DiagLogger = { error: say, warn: say, info: say, debug: say, verbose: say };

function sayOnce(text: string): void {
  const duplicate = DUPLICATE.exec(text)?.[1];
  if (duplicate === undefined) {
    const line = (text.split("\n")[0] ?? "").slice(0, SENTENCE_CHARACTERS_MAX);
    tell(`OpenTelemetry: ${line}`);
    return;
  }
  const sentence = SECOND[duplicate];
  if (sentence !== undefined && !isStarting) tell(sentence);
}

function tell(sentence: string): void {
  if (said.has(sentence) || said.size >= SENTENCES_MAX) return;
  said.add(sentence);
  print(sentence);
}
