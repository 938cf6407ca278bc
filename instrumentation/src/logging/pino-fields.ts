/** What is read of a pino logger. Its state hangs on symbols that pino does not export. */
export interface PinoFields {
  readonly instance: object;
  /** The text of the logger's bindings, each with a comma before it. */
  readonly bindings: string;
  readonly bindingsKey: symbol;
  readonly messageKey: string;
  readonly errorKey: string;
  /** How a line of that level begins. */
  readonly levelText: (level: unknown) => string;
}

interface Keys {
  readonly bindings: symbol;
  readonly message: symbol | undefined;
  readonly error: symbol | undefined;
  readonly levels: symbol | undefined;
}

/** Two copies of pino have two sets of symbols; a process has few copies. */
const COPIES_MAX = 16;
const known: Keys[] = [];

/** The fields of a logger, or undefined where it is not built as pino 9 and 10 are. */
export function findPinoFields(instance: unknown): PinoFields | undefined {
  if (typeof instance !== "object" || instance === null) return undefined;
  const keys = known.find((set) => set.bindings in instance) ?? learn(instance);
  const bindings: unknown = keys === undefined ? undefined : Reflect.get(instance, keys.bindings);
  if (keys === undefined || typeof bindings !== "string") return undefined;
  return {
    instance,
    bindings,
    bindingsKey: keys.bindings,
    messageKey: textAt(instance, keys.message) ?? "msg",
    errorKey: textAt(instance, keys.error) ?? "err",
    levelText: (level) => levelText(instance, keys.levels, level),
  };
}

function learn(instance: object): Keys | undefined {
  const symbols = new Map<string | undefined, symbol>();
  for (let at: object | null = instance; at !== null; at = Object.getPrototypeOf(at)) {
    for (const symbol of Object.getOwnPropertySymbols(at)) {
      if (!symbols.has(symbol.description)) symbols.set(symbol.description, symbol);
    }
  }
  const bindings = symbols.get("pino.chindings");
  if (bindings === undefined || known.length >= COPIES_MAX) return undefined;
  const keys: Keys = {
    bindings,
    message: symbols.get("pino.messageKey"),
    error: symbols.get("pino.errorKey"),
    levels: symbols.get("pino.lsCache"),
  };
  known.push(keys);
  return keys;
}

function textAt(instance: object, key: symbol | undefined): string | undefined {
  const value: unknown = key === undefined ? undefined : Reflect.get(instance, key);
  return typeof value === "string" ? value : undefined;
}

function levelText(instance: object, key: symbol | undefined, level: unknown): string {
  const cache: unknown = key === undefined ? undefined : Reflect.get(instance, key);
  if (typeof cache !== "object" || cache === null) return "";
  const text: unknown = Reflect.get(cache, String(level));
  return typeof text === "string" ? text : "";
}
