import { SEVERITY, type Severity } from "./log-record.ts";
import type { PinoKeys, PinoLogger } from "./pino-fields.ts";
import { findSeverity, severitiesOf } from "./severity.ts";

type Scheme = ReadonlyMap<number, Severity>;

/** By the object that pino keeps a logger's labels in, which children share. */
const schemes = new WeakMap<object, Scheme>();
const NUMBERS_PER_LEVEL = 10;
const LEVEL_MIN = 10;
const LEVEL_MAX = 70;

/** The severity of a level's number: by its name where that is a usual one, else by its place. */
export function pinoSeverity(logger: PinoLogger, keys: PinoKeys, level: unknown): Severity {
  const number = Number(level);
  const labels = labelsOf(logger);
  if (labels === undefined) return byNumber(number, undefined);
  if (labels !== last.labels) {
    last.labels = labels;
    last.scheme = schemes.get(labels) ?? readScheme(labels, logger[keys.levelOrder]);
    schemes.set(labels, last.scheme);
  }
  return last.scheme.get(number) ?? byNumber(number, undefined);
}

/** Most lines come from loggers with the same levels. */
const last: { labels: object | undefined; scheme: Scheme } = {
  labels: undefined,
  scheme: new Map(),
};

function labelsOf(logger: PinoLogger): object | undefined {
  const levels = (logger as { levels?: { labels?: unknown } }).levels;
  const labels = levels?.labels;
  return typeof labels === "object" && labels !== null ? labels : undefined;
}

function readScheme(labels: object, order: unknown): Scheme {
  const numbers = Object.keys(labels).map(Number);
  // pino's rule for `levelComparison: "DESC"`: the first of two is enabled where it is smaller.
  const isDescending = typeof order === "function" && order(1, 2) === true;
  numbers.sort((a, b) => (isDescending ? b - a : a - b));
  const names = numbers.map((number) => String(Reflect.get(labels, number)));
  const places = severitiesOf(names);
  const isUsualScale = numbers.every((number) => number >= LEVEL_MIN && number < LEVEL_MAX);
  return new Map(
    numbers.map((number, index) => {
      const name = names[index] ?? "";
      const byPlace = places.get(name) ?? SEVERITY.info;
      const severity =
        findSeverity(name) ?? (isUsualScale && !isDescending ? byNumber(number, name) : byPlace);
      return [number, severity];
    }),
  );
}

/** pino's scale, 10 for trace to 60 for fatal, has ten numbers where OpenTelemetry's has four. */
function byNumber(number: number, name: string | undefined): Severity {
  const kept = Math.min(Math.max(number, LEVEL_MIN), LEVEL_MAX - 1);
  const place = Math.floor(((kept - LEVEL_MIN) * 4) / NUMBERS_PER_LEVEL) + 1;
  const usual = Object.values(SEVERITY)[Math.floor((place - 1) / 4)] ?? SEVERITY.info;
  if (name !== undefined) return { number: place, text: name };
  return place === usual.number ? usual : { number: place, text: usual.text };
}
