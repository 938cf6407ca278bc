/** Every error the collector answers or stops with: one table, from which all classes take. */

export interface ErrorKind {
  /** HTTP status where it reaches a client. */
  readonly status: number;
  /** google.rpc.Code, for OTLP `Status` bodies and gRPC. */
  readonly rpcCode: number;
  /** The same act may succeed later. */
  readonly isRetryable: boolean;
  readonly meaning: string;
}

export const ERRORS = {
  REQUEST_MALFORMED: kind(400, 3, false, "the body is not what its content type says"),
  REQUEST_TOO_LARGE: kind(413, 8, false, "the body is larger than the limit"),
  REQUEST_TIMEOUT: kind(408, 4, true, "the body did not arrive in time"),
  MEDIA_TYPE_UNSUPPORTED: kind(415, 3, false, "content type or encoding is not supported"),
  METHOD_NOT_ALLOWED: kind(405, 12, false, "this path takes another method"),
  NOT_FOUND: kind(404, 5, false, "there is nothing at this path"),
  UNAUTHENTICATED: kind(401, 16, false, "no token, or one that is not known"),
  PARAMETER_INVALID: kind(400, 3, false, "a query parameter has a value that is not allowed"),
  BUS_OVERLOADED: kind(503, 14, true, "as many bytes are in flight as may be"),
  BUS_DISK_FULL: kind(503, 14, true, "no space is left for the bus"),
  BUS_UNAVAILABLE: kind(503, 14, true, "the bus cannot make messages durable now"),
  BUS_REFUSED: kind(503, 14, true, "the bus refuses our name, password, certificate or right"),
  BUS_MESSAGE_TOO_LARGE: kind(413, 8, false, "one message is larger than the bus takes"),
  BUS_STOPPED: kind(503, 14, true, "the collector is stopping"),
  STORE_FULL: kind(503, 14, true, "no space is left for the store"),
  STORE_UNAVAILABLE: kind(503, 14, true, "the store does not answer"),
  STORE_REFUSED: kind(503, 14, true, "the store refuses who we are, or cannot be used"),
  STORE_QUERY_INVALID: kind(400, 3, false, "the search text cannot be read"),
  STORE_STOPPED: kind(503, 14, true, "the collector is stopping"),
  STORE_VERSION_UNKNOWN: kind(500, 9, false, "a newer version wrote the store"),
  CONFIG_INVALID: kind(500, 9, false, "a variable has a value that is not allowed"),
  DATA_DIR_IN_USE: kind(500, 9, false, "another process uses this data directory"),
  PORT_IN_USE: kind(500, 9, false, "another process listens on this port"),
  HOST_REFUSED: kind(403, 7, false, "the Host header names no address of this machine's own"),
  QUERY_OVERLOADED: kind(503, 14, true, "as many live tails, or acts, are under way as may be"),
  INTERNAL: kind(500, 13, false, "a fault of the collector's own"),
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** An error a person or a client is told: `cannot <do>: <why>`. */
export class ClewError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ClewError";
    this.code = code;
  }

  get kind(): ErrorKind {
    return ERRORS[this.code];
  }
}

/** Anything thrown, as a `ClewError`; what is not known is `INTERNAL`. */
export function toClewError(thrown: unknown): ClewError {
  if (thrown instanceof ClewError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new ClewError("INTERNAL", `cannot go on: ${reason}`, { cause: thrown });
}

function kind(status: number, rpcCode: number, isRetryable: boolean, meaning: string): ErrorKind {
  return { status, rpcCode, isRetryable, meaning };
}
