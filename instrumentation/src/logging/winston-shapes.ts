/** A line on its way through winston: the service's object, or one that winston made. */
export type WinstonInfo = Record<string | symbol, unknown>;

/** A transport, as far as it decides whether it writes a line. */
export interface WinstonTransport {
  readonly silent?: unknown;
  readonly level?: unknown;
  readonly handleExceptions?: unknown;
}

/** winston's Logger, as far as it is used here. */
export interface WinstonLogger {
  readonly silent?: unknown;
  readonly level?: unknown;
  readonly levels?: Readonly<Record<string, unknown>>;
  readonly transports?: readonly WinstonTransport[];
}

/** What is patched: streams.Transform's methods, as winston 3 overrides or inherits them. */
export interface WinstonPrototype {
  write: (this: WinstonLogger, ...args: unknown[]) => unknown;
  push: (this: WinstonLogger, ...args: unknown[]) => unknown;
  _transform: (this: WinstonLogger, ...args: unknown[]) => unknown;
}

/** Symbols of triple-beam, which are registered by name. */
export const LEVEL = Symbol.for("level");
export const MESSAGE = Symbol.for("message");
export const SPLAT = Symbol.for("splat");

/** The prototype of the class Logger, found from the module, the class, or a logger. */
export function findLoggerPrototype(of: unknown): WinstonPrototype | undefined {
  let at = ownProperty(of, "Logger") ?? ownProperty(ownProperty(of, "default"), "Logger") ?? of;
  if (typeof at === "function") at = at.prototype;
  for (let depth = 0; depth < PROTOTYPES_MAX; depth++) {
    if (typeof at !== "object" || at === null) return undefined;
    if (isLoggerPrototype(at)) return at;
    at = Object.getPrototypeOf(at);
  }
  return undefined;
}

const PROTOTYPES_MAX = 16;

function ownProperty(of: unknown, key: string): unknown {
  const isObject = (typeof of === "object" && of !== null) || typeof of === "function";
  return isObject ? Reflect.get(of, key) : undefined;
}

/** Its own `_transform` and `configure` tell the Logger from the streams that it is made of. */
function isLoggerPrototype(value: object): value is WinstonPrototype {
  return Object.hasOwn(value, "_transform") && Object.hasOwn(value, "configure");
}

/**
 * Whether any transport writes a line of that level, by the rules of winston-transport's `_write`.
 */
export function isWritten(logger: WinstonLogger, info: WinstonInfo): boolean {
  const { transports, levels = {} } = logger;
  const place = Number(levels[String(info[LEVEL])]);
  return (
    transports?.some((transport) => {
      if (transport.silent) return false;
      if (info.exception === true && !transport.handleExceptions) return false;
      const level = transport.level ?? logger.level;
      return level === undefined || level === "" || Number(levels[String(level)]) >= place;
    }) === true
  );
}
