/** What the failure of an export request means for the records in it. */
export interface Failure {
  /** `passing`: try again for ever. `refused`: for good. `unclear`: try again some times. */
  readonly kind: "passing" | "refused" | "unclear";
  /** Bounded printable text for the operator. */
  readonly why: string;
}

const WHY_CHARACTERS_MAX = 200;
/** OTLP 1.11, "OTLP/gRPC Response": codes that say "later"; all others say "never". */
const GRPC_PASSING: ReadonlySet<number> = new Set([1, 4, 8, 10, 11, 14, 15]);
const HTTP_CODE_MIN = 100;
const SERVER_ERROR_MIN = 500;
/** The exporter for Zipkin says the status in words only. */
const ZIPKIN_STATUS = /status code from zipkin: (\d{3})/;

/** Judges what an exporter of OpenTelemetry's SDK gave as the reason of its failure. */
export function judgeFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { kind: "unclear", why: "an unknown error" };
  const why = printable(error.message === "" ? error.name : error.message);
  const code = findCode(error);
  // Errors of the network have a name for a code, as ECONNREFUSED.
  if (typeof code === "string") return { kind: "passing", why: why || code };
  if (code !== undefined) return { kind: isPassing(code) ? "passing" : "refused", why };
  // The exporters for OTLP leave the code out where they tried again in vain.
  return { kind: error.name === "OTLPExporterError" ? "passing" : "unclear", why };
}

function findCode(error: Error): string | number | undefined {
  if ("code" in error && (typeof error.code === "string" || typeof error.code === "number")) {
    return error.code;
  }
  const status = ZIPKIN_STATUS.exec(error.message)?.[1];
  return status === undefined ? undefined : Number(status);
}

function isPassing(code: number): boolean {
  if (code < HTTP_CODE_MIN) return GRPC_PASSING.has(code);
  return code === 408 || code === 429 || code >= SERVER_ERROR_MIN;
}

/** Text from outside goes to the operator's terminal: control characters are taken out. */
function printable(text: string): string {
  return text.slice(0, WHY_CHARACTERS_MAX).replace(/[^\x20-\x7e]+/g, " ");
}
