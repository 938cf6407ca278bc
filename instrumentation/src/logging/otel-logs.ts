import {
  type LogRecord as ApiLogRecord,
  type Context,
  type Logger,
  type LoggerProvider,
  logs,
} from "@opentelemetry/api";
import type { Recorder } from "../recorder.ts";
import { countFault } from "../stats.ts";
import type { Scope } from "../tracing/recorded-span.ts";
import { toMicros } from "../tracing/recorded-span.ts";
import { activeContext, runIn, TransactionContext } from "../transaction/transaction-context.ts";
import { ATTRIBUTE } from "../wire-names.ts";
import { describeLogged } from "./exception.ts";
import { SEVERITY, type Severity } from "./log-record.ts";
import { copyFields } from "./user-fields.ts";

/** Where copies of @opentelemetry/api-logs, older than the API's `logs`, look for a provider. */
const API_LOGS_KEY = Symbol.for("io.opentelemetry.js.api.logs");
/** The version of that agreement; others get nothing from us, as the package itself does it. */
const API_LOGS_VERSION = 1;
const shared = globalThis as { [API_LOGS_KEY]?: unknown };

/**
 * Bridges from loggers that we listen to ourselves: what they emit is a record already. Theirs
 * would be the second one.
 */
const BRIDGES = new Set([
  "@opentelemetry/winston-transport",
  "@opentelemetry/instrumentation-winston",
  "@opentelemetry/instrumentation-bunyan",
  "@opentelemetry/instrumentation-pino",
]);
const LOGGERS_MAX = 1000;
/** The data model's short names stand for four numbers each: INFO is 9, INFO2 is 10. */
const SHORT_NAMES = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

/**
 * Makes log records of what is emitted through OpenTelemetry's logs API, its own and that of older
 * copies. Where somebody else registered a provider first, that one stays.
 */
export function registerOtelLogs(recorder: Recorder): void {
  const provider = new TransactionLoggerProvider(recorder);
  logs.setGlobalLoggerProvider(provider);
  shared[API_LOGS_KEY] ??= (version: unknown) =>
    version === API_LOGS_VERSION ? provider : NOTHING;
}

class TransactionLoggerProvider implements LoggerProvider {
  readonly #recorder: Recorder;
  readonly #loggers = new Map<string, Logger>();

  constructor(recorder: Recorder) {
    this.#recorder = recorder;
  }

  getLogger(name: string, version = ""): Logger {
    const key = `${name}\n${version}`;
    const known = this.#loggers.get(key);
    if (known !== undefined) return known;
    const logger = BRIDGES.has(name)
      ? SILENT
      : new TransactionLogger(this.#recorder, { name: String(name), version: String(version) });
    if (this.#loggers.size < LOGGERS_MAX) this.#loggers.set(key, logger);
    return logger;
  }
}

class TransactionLogger implements Logger {
  readonly #recorder: Recorder;
  readonly #scope: Scope;

  constructor(recorder: Recorder, scope: Scope) {
    this.#recorder = recorder;
    this.#scope = scope;
  }

  /** Never throws. */
  emit(record: ApiLogRecord): void {
    try {
      const context = contextOf(record.context);
      runIn(context, () => this.#emit(record));
    } catch (error) {
      countFault("otel-logs", error);
    }
  }

  enabled(): boolean {
    return true;
  }

  #emit(record: ApiLogRecord): void {
    const attributes: Readonly<Record<string, unknown>>[] = [];
    if (record.exception !== undefined) attributes.push(describeLogged(record.exception));
    attributes.push(copyFields(record.attributes ?? {}, NONE));
    if (record.eventName !== undefined) {
      attributes.push({ [ATTRIBUTE.eventName]: record.eventName });
    }
    const time = record.timestamp ?? record.observedTimestamp;
    this.#recorder.log({
      scope: this.#scope,
      severity: severityOf(record),
      body: record.body,
      attributes,
      ...(time === undefined ? {} : { timeMicros: toMicros(time) }),
    });
  }
}

const NONE: ReadonlySet<string> = new Set();
const SILENT: Logger = { emit: () => undefined, enabled: () => false };
const NOTHING: LoggerProvider = { getLogger: () => SILENT };

function contextOf(context: Context | undefined): TransactionContext {
  return context === undefined ? activeContext() : TransactionContext.from(context);
}

/** Number and text may be given both, one of them, or neither. */
function severityOf({ severityNumber, severityText }: ApiLogRecord): Severity {
  const number = severityNumber ?? 0;
  const isKnown = Number.isInteger(number) && number >= 1 && number <= 24;
  if (!isKnown) return { number: 0, text: severityText ?? "" };
  const usual = Object.values(SEVERITY).find((severity) => severity.number === number);
  if (severityText === undefined) return usual ?? { number, text: shortName(number) };
  return { number, text: severityText };
}

function shortName(number: number): string {
  const place = (number - 1) % 4;
  return `${SHORT_NAMES[Math.floor((number - 1) / 4)]}${place === 0 ? "" : place + 1}`;
}
