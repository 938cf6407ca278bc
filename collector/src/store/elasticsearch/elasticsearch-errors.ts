import { ClewError, type ErrorCode } from "../../errors.ts";
import { ELASTICSEARCH_VARIABLE } from "./config.ts";

/** What Elasticsearch answered, or what happened on the way to it. */
interface Fault {
  readonly name: string;
  readonly message: string;
  /** 0 where there was no answer. */
  readonly status: number;
  /** Its own name of an error, as `security_exception`; empty where it gave none. */
  readonly type: string;
  readonly reason: string;
}

const REASON_CHARACTERS_MAX = 400;
/** By their message, for the client keeps no code: OpenSSL's words, a name in a certificate. */
const NOT_TRUSTED =
  /certificate|self[- ]signed|altnames|wrong version number|ssl3?_|SSL routines|EPROTO/i;
/** Plain HTTP sent to a port that speaks TLS ends so. */
const ENDED_AT_ONCE = /other side closed|socket hang up|ECONNRESET/;
const DISK_FULL =
  /disk usage exceeded|flood[- ]stage|read-only-allow-delete|read_only_allow_delete/;

/**
 * An error of Elasticsearch's client as one of ours: STORE_REFUSED where nothing but a person's act
 * will help, STORE_FULL where its disks are full, else STORE_UNAVAILABLE.
 * @param act as in `cannot search: …`
 */
export function toElasticsearchError(thrown: unknown, act: string): ClewError {
  if (thrown instanceof ClewError) return thrown;
  const { code, why } = explain(faultOf(thrown));
  return new ClewError(code, `cannot ${act}: ${why}`, { cause: thrown });
}

/** The HTTP status of an answer that the client threw as an error; 0 where there was none. */
export function elasticsearchStatus(thrown: unknown): number {
  return faultOf(thrown).status;
}

function explain(fault: Fault): { code: ErrorCode; why: string } {
  const { name, message, status, type, reason } = fault;
  const { apiKey, username, password, ca, url } = ELASTICSEARCH_VARIABLE;
  if (name === "ProductNotSupportedError") {
    const why = `what answers at ${url} is not Elasticsearch`;
    return { code: "STORE_REFUSED", why };
  }
  if (status === 401) {
    const why = `Elasticsearch refuses ${apiKey}, or ${username} and ${password}: ${reason}`;
    return { code: "STORE_REFUSED", why };
  }
  if (DISK_FULL.test(reason)) return { code: "STORE_FULL", why: reason };
  if (status === 403 && type === "security_exception") {
    return { code: "STORE_REFUSED", why: `Elasticsearch denies a right: ${reason}` };
  }
  if (status > 0) {
    const why = `Elasticsearch answers ${status}${type === "" ? "" : ` ${type}`}: ${reason}`;
    return { code: "STORE_UNAVAILABLE", why };
  }
  if (NOT_TRUSTED.test(message)) {
    return {
      code: "STORE_REFUSED",
      why: `no TLS connection to Elasticsearch: ${message} (see ${ca})`,
    };
  }
  const hint = ENDED_AT_ONCE.test(message) ? ` (is it https in ${url}?)` : "";
  return { code: "STORE_UNAVAILABLE", why: `Elasticsearch does not answer: ${message}${hint}` };
}

function faultOf(thrown: unknown): Fault {
  if (!(thrown instanceof Error)) {
    return { name: "", message: String(thrown), status: 0, type: "", reason: "" };
  }
  const meta: unknown = Reflect.get(thrown, "meta");
  const status: unknown = objectAt(meta, "statusCode");
  const error = objectAt(objectAt(meta, "body"), "error");
  const [message = ""] = thrown.message.split("\n");
  return {
    name: thrown.name,
    message: message.slice(0, REASON_CHARACTERS_MAX),
    status: typeof status === "number" ? status : 0,
    type: textAt(error, "type"),
    reason: (textAt(error, "reason") || (typeof error === "string" ? error : message)).slice(
      0,
      REASON_CHARACTERS_MAX,
    ),
  };
}

function objectAt(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function textAt(value: unknown, key: string): string {
  const found = objectAt(value, key);
  return typeof found === "string" ? found : "";
}
