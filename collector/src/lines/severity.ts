export interface Severity {
  /** OTLP SeverityNumber (logs data model, "Severity Fields"). */
  readonly number: number;
  /** As the line spells it. */
  readonly text: string;
}

const TRACE = 1;
const DEBUG = 5;
const INFO = 9;
const WARN = 13;
const ERROR = 17;
const FATAL = 21;
const SEVERITY_MAX = 24;

/** Level names of pino, bunyan, winston, log4j, Python, Go and syslog. */
const NUMBERS: Readonly<Record<string, number>> = {
  trace: TRACE,
  silly: TRACE,
  finest: TRACE,
  verbose: DEBUG,
  debug: DEBUG,
  fine: DEBUG,
  http: INFO,
  info: INFO,
  information: INFO,
  informational: INFO,
  notice: INFO + 1,
  warn: WARN,
  warning: WARN,
  err: ERROR,
  error: ERROR,
  severe: ERROR,
  dpanic: ERROR + 1,
  crit: ERROR + 1,
  critical: ERROR + 1,
  alert: ERROR + 2,
  panic: FATAL,
  fatal: FATAL,
  emerg: FATAL,
  emergency: FATAL,
};

/** RFC 5424 §6.2.1: 0 is worst. */
const SYSLOG = [FATAL, ERROR + 2, ERROR + 1, ERROR, WARN, INFO + 1, INFO, DEBUG];
/** pino and bunyan count in tens; a level between two counts as the lower one. */
const PINO = [TRACE, TRACE, DEBUG, INFO, WARN, ERROR, FATAL];

/** A level's name or number; undefined where it means none. */
export function findSeverity(value: unknown): Severity | undefined {
  if (typeof value === "number") return fromNumber(value);
  if (typeof value !== "string") return undefined;
  if (/^\d{1,2}$/.test(value)) return fromNumber(Number(value));
  const name = value.toLowerCase();
  const number = Object.hasOwn(NUMBERS, name) ? NUMBERS[name] : undefined;
  return number === undefined ? undefined : { number, text: value };
}

/** An OTLP SeverityNumber, with the text that stands beside it. */
export function findSeverityNumber(value: number, text?: string): Severity | undefined {
  if (!Number.isInteger(value) || value < TRACE || value > SEVERITY_MAX) return undefined;
  return { number: value, text: text ?? nameOf(value) };
}

function fromNumber(value: number): Severity | undefined {
  const number = value < SYSLOG.length ? SYSLOG[value] : PINO[Math.floor(value / 10)];
  return number === undefined ? undefined : { number, text: nameOf(number) };
}

function nameOf(number: number): string {
  return ["trace", "debug", "info", "warn", "error", "fatal"][Math.floor((number - 1) / 4)] ?? "";
}
