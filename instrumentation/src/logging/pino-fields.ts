/** A pino logger as far as it is read here: its state hangs on symbols of pino's own. */
export type PinoLogger = { [key: symbol]: unknown };

/** The symbols of one copy of pino. */
export interface PinoKeys {
  /** The text of the logger's bindings, each with a comma before it. */
  readonly bindings: symbol;
  readonly message: symbol;
  readonly error: symbol;
  /** How a line begins, by the level's number. */
  readonly levels: symbol;
  /** Functions that write the values of single fields, made by the option `redact`. */
  readonly stringifiers: symbol;
  readonly nestedKey: symbol;
  /** "ASC" or "DESC": whether higher numbers are more severe; other rules are a function. */
  readonly levelOrder: symbol;
}

/** Two copies of pino have two sets of symbols; a process has few copies. */
const COPIES_MAX = 16;
const known: PinoKeys[] = [];
/** Stands for a symbol that this version of pino does not have: nothing is found under it. */
const ABSENT = Symbol("clew.absent");

/** The symbols of a logger, or undefined where it is not built as pino 9 and 10 are. */
export function findPinoKeys(logger: PinoLogger): PinoKeys | undefined {
  for (const keys of known) if (keys.bindings in logger) return keys;
  return learn(logger);
}

/** The text under a symbol, or what is said where there is none. */
export function textAt(logger: PinoLogger, key: symbol, otherwise: string): string {
  const value = logger[key];
  return typeof value === "string" ? value : otherwise;
}

/** How a line of that level begins, or nothing where it is not known. */
export function levelTextOf(logger: PinoLogger, keys: PinoKeys, level: unknown): string {
  const cache = logger[keys.levels];
  if (typeof cache !== "object" || cache === null) return "";
  const text = (cache as Record<string, unknown>)[String(level)];
  return typeof text === "string" ? text : "";
}

function learn(logger: PinoLogger): PinoKeys | undefined {
  const symbols = new Map<string | undefined, symbol>();
  for (let at: object | null = logger; at !== null; at = Object.getPrototypeOf(at)) {
    for (const symbol of Object.getOwnPropertySymbols(at)) {
      if (!symbols.has(symbol.description)) symbols.set(symbol.description, symbol);
    }
  }
  const bindings = symbols.get("pino.chindings");
  if (bindings === undefined || known.length >= COPIES_MAX) return undefined;
  const keys: PinoKeys = {
    bindings,
    message: symbols.get("pino.messageKey") ?? ABSENT,
    error: symbols.get("pino.errorKey") ?? ABSENT,
    levels: symbols.get("pino.lsCache") ?? ABSENT,
    stringifiers: symbols.get("pino.stringifiers") ?? ABSENT,
    nestedKey: symbols.get("pino.nestedKey") ?? ABSENT,
    levelOrder: symbols.get("pino.levelComp") ?? ABSENT,
  };
  known.push(keys);
  return keys;
}
