import { ClewError, type ErrorCode } from "../../errors.ts";
import { KAFKA_VARIABLE } from "./config.ts";

/** What was tried when kafkajs threw. */
export interface KafkaAttempt {
  /** As in `cannot publish: …`. */
  readonly act: string;
  /** The topic's name at the broker, or of the consumer group. */
  readonly resource?: string;
  /** The right that it takes, as Kafka names it: `Write`. */
  readonly right?: string;
}

/** What Kafka itself answered, or what happened on the way to it. */
interface Fault {
  readonly name: string;
  /** Kafka's own name of an error, as `NOT_ENOUGH_REPLICAS`. */
  readonly type: string;
  /** Of the operating system or of TLS, as `ECONNREFUSED`. */
  readonly code: string;
  readonly message: string;
}

/** kafkajs wraps an error in errors that always say that it cannot be retried. */
const CAUSES_MAX = 6;
const NOT_TRUSTED =
  /^(CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO)/;
const OUTER_NAMES = new Set(["KafkaJSNumberOfRetriesExceeded", "KafkaJSNonRetriableError"]);

/**
 * An error of kafkajs as one of ours, told by what lies at its bottom: BUS_REFUSED where nothing
 * but a person's act will help, BUS_MESSAGE_TOO_LARGE, else BUS_UNAVAILABLE.
 */
export function toKafkaError(thrown: unknown, attempt: KafkaAttempt): ClewError {
  if (thrown instanceof ClewError) return thrown;
  const { code, why } = explain(bottomOf(thrown), attempt);
  return new ClewError(code, `cannot ${attempt.act}: ${why}`, { cause: thrown });
}

/** Kafka's own name of the error at the bottom of what kafkajs threw, as `INVALID_CONFIG`. */
export function kafkaErrorType(thrown: unknown): string {
  return bottomOf(thrown).type;
}

function explain(fault: Fault, attempt: KafkaAttempt): { code: ErrorCode; why: string } {
  const { resource = "Kafka", right } = attempt;
  const { name, type, message } = fault;
  if (name === "KafkaJSSASLAuthenticationError") {
    const { saslUsername, saslPassword } = KAFKA_VARIABLE;
    const why = `Kafka refuses ${saslUsername} or ${saslPassword}: ${message}`;
    return { code: "BUS_REFUSED", why };
  }
  if (NOT_TRUSTED.test(fault.code)) {
    const why = `no TLS connection to Kafka: ${message} (see ${KAFKA_VARIABLE.tlsCa})`;
    return { code: "BUS_REFUSED", why };
  }
  switch (type) {
    case "MESSAGE_TOO_LARGE":
    case "RECORD_LIST_TOO_LARGE":
      return { code: "BUS_MESSAGE_TOO_LARGE", why: `${resource} takes no message so large` };
    case "TOPIC_AUTHORIZATION_FAILED":
    case "GROUP_AUTHORIZATION_FAILED":
    case "CLUSTER_AUTHORIZATION_FAILED":
      return { code: "BUS_REFUSED", why: `Kafka denies ${nameRight(right)} on ${resource}` };
    case "UNKNOWN_TOPIC_OR_PARTITION":
      return { code: "BUS_UNAVAILABLE", why: `${resource} is not there; clew setup makes it` };
    case "NOT_ENOUGH_REPLICAS":
    case "NOT_ENOUGH_REPLICAS_AFTER_APPEND":
      return { code: "BUS_UNAVAILABLE", why: `too few replicas of ${resource} are in sync` };
    case "LEADER_NOT_AVAILABLE":
      return { code: "BUS_UNAVAILABLE", why: `no broker leads ${resource} now` };
    default:
      return { code: "BUS_UNAVAILABLE", why: message };
  }
}

function nameRight(right: string | undefined): string {
  return right === undefined ? "a right that it takes" : `the right ${right}`;
}

/** The innermost error that says something. */
function bottomOf(thrown: unknown): Fault {
  let found = faultOf(thrown);
  let next: unknown = thrown;
  for (let depth = 0; depth < CAUSES_MAX && next instanceof Error; depth++) {
    const fault = faultOf(next);
    const errors: unknown = Reflect.get(next, "errors");
    if (!OUTER_NAMES.has(fault.name) || found.message === "") found = fault;
    // Of several topics the first that could not be made.
    next = next.cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  }
  return found;
}

function faultOf(thrown: unknown): Fault {
  if (!(thrown instanceof Error)) return { name: "", type: "", code: "", message: String(thrown) };
  const { name, message } = thrown;
  return { name, type: textOf(thrown, "type"), code: textOf(thrown, "code"), message };
}

function textOf(error: Error, key: "type" | "code"): string {
  const value: unknown = Reflect.get(error, key);
  return typeof value === "string" ? value : "";
}
