import { SEVERITY, type Severity } from "./log-record.ts";

/**
 * Names that loggers give their levels, with the numbers of OpenTelemetry's "Logs Data Model",
 * appendix B, for syslog, and of its winston transport for npm's and winston's own schemes.
 */
const NUMBERS: Readonly<Record<string, number>> = {
  ...{ trace: 1, silly: 1, input: 2, prompt: 4 },
  ...{ debug: 5, verbose: 6, http: 7 },
  ...{ info: 9, information: 9, data: 10, notice: 10, help: 11 },
  ...{ warn: 13, warning: 13 },
  ...{ error: 17, err: 17, crit: 18, critical: 18, alert: 19 },
  ...{ fatal: 21, emerg: 21, emergency: 21, panic: 21 },
};
const NUMBER_MIN = 1;
const NUMBER_MAX = 24;
/** How far a level that nothing is known of is from the next one. */
const STEP = 4;
/** Schemes are made when a logger is; a bound keeps a mistake there from costing much. */
const LEVELS_MAX = 100;

/** The severity of a level that has one of the usual names, in any case. */
export function findSeverity(name: string): Severity | undefined {
  const key = name.toLowerCase();
  const usual = Object.hasOwn(SEVERITY, key) ? SEVERITY[key as keyof typeof SEVERITY] : undefined;
  if (usual !== undefined) return usual;
  const number = Object.hasOwn(NUMBERS, key) ? NUMBERS[key] : undefined;
  return number === undefined ? undefined : { number, text: name };
}

/**
 * Severities for a logger's own scheme of levels. A level with a usual name has that name's
 * severity; any other one gets its severity by its place: between its neighbours' with known
 * names, or, where none is known, down from error in whole steps. The text is the level's name.
 *
 * @param names from the least to the most severe
 */
export function severitiesOf(names: readonly string[]): ReadonlyMap<string, Severity> {
  const levels = names.slice(0, LEVELS_MAX);
  const known = levels.map((name) => findSeverity(name));
  const severities = new Map<string, Severity>();
  levels.forEach((name, place) => {
    const severity = known[place] ?? { number: numberAt(known, place), text: name };
    severities.set(name, severity);
  });
  return severities;
}

function numberAt(known: readonly (Severity | undefined)[], place: number): number {
  const below = known.findLastIndex((severity, at) => at < place && severity !== undefined);
  const above = known.findIndex((severity, at) => at > place && severity !== undefined);
  const low = known[below]?.number;
  const high = known[above]?.number;
  if (low !== undefined && high !== undefined) {
    return low + Math.max(0, Math.floor(((high - low) * (place - below)) / (above - below)));
  }
  if (low !== undefined) return Math.min(NUMBER_MAX, low + place - below);
  if (high !== undefined) return Math.max(NUMBER_MIN, high - (above - place));
  return Math.max(NUMBER_MIN, SEVERITY.error.number - STEP * (known.length - 1 - place));
}
