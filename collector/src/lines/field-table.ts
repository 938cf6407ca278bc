import { SEMANTIC } from "@clew/instrumentation/names";

/** What a field of a log line can mean. */
export const ROLES = [
  "time",
  "level",
  "severityNumber",
  "message",
  "traceId",
  "spanId",
  "service",
  "host",
  "transactionId",
] as const;
export type Role = (typeof ROLES)[number];

/** A place where a value may be, below one key of the object. */
export interface Place {
  readonly role: Role;
  /** Of two places that both hold one, the lower counts. */
  readonly rank: number;
  /** The path within the value of the key; empty where the value itself is meant. */
  readonly rest: string;
}

/**
 * Where each is, best first; dots go deeper. By library or shipper: pino, winston, bunyan, zap,
 * logrus, Python, ECS (Beats, Logstash), Fluent Bit, journald, syslog-ng, rsyslog, and documents of
 * the OpenTelemetry Collector (`Body`, `SeverityText`, `Resource.…`).
 */
const PATHS: Readonly<Record<Exclude<Role, "transactionId">, readonly string[]>> = {
  time: ["time", "timestamp", "@timestamp", "ts", "date", "Timestamp"],
  level: [
    ...["level", "severity", "lvl", "levelname", "severity_text", "log.level", "loglevel"],
    ...["SeverityText", "PRIORITY"],
  ],
  severityNumber: ["severity_number", "SeverityNumber"],
  message: ["msg", "message", "log", "MESSAGE", "short_message", "Body"],
  traceId: ["trace_id", "traceId", "trace.id", "TraceId"],
  spanId: ["span_id", "spanId", "span.id", "SpanId"],
  service: [
    ...[SEMANTIC.serviceName, "service", `Resource.${SEMANTIC.serviceName}`],
    ...["kubernetes.labels.app.kubernetes.io/name", "kubernetes.labels.app"],
    ...["kubernetes.container_name", "kubernetes.container.name", "container.name"],
    ...["programname", "SYSLOG_IDENTIFIER", "PROGRAM", "event.dataset"],
  ],
  host: [
    ...[SEMANTIC.hostName, "hostname", "host", `Resource.${SEMANTIC.hostName}`],
    ...["kubernetes.host", "kubernetes.node.name", "_HOSTNAME", "HOST"],
  ],
};

/** Finds by a key of an object what may be at or below it, in one look-up for each key. */
export class FieldTable {
  readonly #places = new Map<string, Place[]>();

  constructor(transactionKeys: readonly string[]) {
    for (const role of ROLES) {
      const paths = role === "transactionId" ? transactionKeys : PATHS[role];
      for (const [rank, path] of paths.entries()) this.#add({ role, rank, rest: "" }, path);
    }
  }

  /** The table of these keys; they come from the configuration, so each list has one. */
  static of(transactionKeys: readonly string[]): FieldTable {
    const known = TABLES.get(transactionKeys);
    if (known !== undefined) return known;
    const table = new FieldTable(transactionKeys);
    TABLES.set(transactionKeys, table);
    return table;
  }

  find(key: string): readonly Place[] | undefined {
    return this.#places.get(key);
  }

  #add(place: Place, path: string): void {
    this.#put(path, place);
    for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1)) {
      this.#put(path.slice(0, dot), { ...place, rest: path.slice(dot + 1) });
    }
  }

  #put(key: string, place: Place): void {
    const places = this.#places.get(key);
    if (places === undefined) this.#places.set(key, [place]);
    else places.push(place);
  }
}

const TABLES = new WeakMap<readonly string[], FieldTable>();
