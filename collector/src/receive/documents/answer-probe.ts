import { ClewError } from "../../errors.ts";

/** What a shipper asks of Elasticsearch before, and while, it sends documents. */
export interface Probe {
  readonly method: string;
  /** The parts of the path, decoded: a name may hold a slash. */
  readonly parts: readonly string[];
  /** Where the client reached us, as `host:port`. */
  readonly address: string;
}

export interface ProbeAnswer {
  readonly status: number;
  /** Text goes as it is, anything else as JSON; undefined is no body. */
  readonly body: string | object | undefined;
}

/**
 * The version whose `_bulk` this door was tested against. Beats refuse a server that is older than
 * they are, unless `allow_older_versions` is left on.
 */
export const ELASTICSEARCH_VERSION = "9.5.3";
const SHOWN_CHARACTERS_MAX = 100;
const NAME = "clew";
/** 22 characters of base64url, as real ones have. */
const CLUSTER_ID = "clewclewclewclewclewcA";
const TAGLINE = "You Know, for Search";
const BASIC_LICENSE = { uid: CLUSTER_ID, type: "basic", mode: "basic", status: "active" };
const ACKNOWLEDGED = { acknowledged: true };

/**
 * Answers as an Elasticsearch that has every template, policy, pipeline and index already, so that
 * shippers go on to `_bulk`. What they `PUT` is acknowledged and not kept: Clew has a schema of its
 * own, and no pipeline runs.
 * @throws ClewError NOT_FOUND, METHOD_NOT_ALLOWED
 */
export function answerProbe(probe: Probe): ProbeAnswer {
  const { method, parts } = probe;
  const [first = "", ...rest] = parts;
  if (first !== "" && !first.startsWith("_")) return answerIndex(probe, first);
  const route = Object.hasOwn(ROUTES, first) ? ROUTES[first] : undefined;
  const subject = { rest, name: rest.at(-1) ?? "", address: probe.address };
  const found = route?.read(subject);
  if (route === undefined || found === undefined) throw notFound(probe);
  if (method === "HEAD") return { status: 200, body: undefined };
  if (method === "GET") return { status: 200, body: found };
  if (route.isWritable && (method === "PUT" || method === "POST")) {
    return { status: 200, body: ACKNOWLEDGED };
  }
  throw new ClewError("METHOD_NOT_ALLOWED", `cannot answer ${shown(probe)}: it can be read only`);
}

/** Every index exists, and may be created. */
function answerIndex(probe: Probe, index: string): ProbeAnswer {
  if (probe.method === "HEAD") return { status: 200, body: undefined };
  if (probe.method !== "PUT") throw notFound(probe);
  return { status: 200, body: { ...ACKNOWLEDGED, shards_acknowledged: true, index } };
}

interface Subject {
  readonly rest: readonly string[];
  /** The last part of the path. */
  readonly name: string;
  readonly address: string;
}

interface Route {
  /** Undefined where there is nothing. */
  readonly read: (subject: Subject) => string | object | undefined;
  /** What is written is acknowledged, and not kept. */
  readonly isWritable?: true;
}

/** By the first part of the path. */
const ROUTES: Readonly<Record<string, Route>> = {
  "": { read: () => ROOT },
  _license: { read: () => ({ license: { ...BASIC_LICENSE, issued_to: NAME, issuer: NAME } }) },
  _xpack: { read: () => ({ license: BASIC_LICENSE, features: {} }) },
  _cat: { read: ({ rest }) => (rest[0] === "health" ? `0 00:00:00 ${NAME} green 1 1 0 0\n` : "") },
  _cluster: { read: ({ rest }) => (rest[0] === "health" ? HEALTH : undefined) },
  _nodes: { read: ({ address }) => nodes(address) },
  _ilm: {
    read: ({ name }) => ({ [name]: { version: 1, policy: { phases: {} } } }),
    isWritable: true,
  },
  _index_template: templates("index_templates", "index_template"),
  _component_template: templates("component_templates", "component_template"),
  _template: {
    read: ({ name }) => ({ [name]: { order: 0, index_patterns: [], settings: {}, mappings: {} } }),
    isWritable: true,
  },
  _ingest: { read: ({ name }) => ({ [name]: { processors: [] } }), isWritable: true },
  _alias: { read: ({ name }) => ({ [name]: { aliases: {} } }), isWritable: true },
  _data_stream: { read: ({ name }) => dataStream(name), isWritable: true },
};

const ROOT = {
  name: NAME,
  cluster_name: NAME,
  cluster_uuid: CLUSTER_ID,
  version: {
    number: ELASTICSEARCH_VERSION,
    build_flavor: "default",
    build_type: "tar",
    build_hash: NAME,
    build_date: "2026-01-01T00:00:00.000000000Z",
    build_snapshot: false,
    lucene_version: "10.4.0",
    minimum_wire_compatibility_version: "8.19.0",
    minimum_index_compatibility_version: "8.0.0",
  },
  tagline: TAGLINE,
};

const HEALTH = {
  cluster_name: NAME,
  status: "green",
  timed_out: false,
  number_of_nodes: 1,
  number_of_data_nodes: 1,
  active_primary_shards: 0,
  active_shards: 0,
  unassigned_shards: 0,
};

/** A client that sniffs goes on with the addresses it finds here. */
function nodes(address: string): object {
  const node = {
    name: NAME,
    version: ELASTICSEARCH_VERSION,
    roles: ["data", "ingest", "master"],
    http: { bound_address: [address], publish_address: address },
    ingest: { processors: [] },
  };
  const counts = { total: 1, successful: 1, failed: 0 };
  return { _nodes: counts, cluster_name: NAME, nodes: { [NAME]: node } };
}

function templates(list: string, single: string): Route {
  return {
    read: ({ name }) => ({ [list]: [{ name, [single]: { index_patterns: [], template: {} } }] }),
    isWritable: true,
  };
}

function dataStream(name: string): object {
  const stream = { name, timestamp_field: { name: "@timestamp" }, indices: [], generation: 1 };
  return { data_streams: [{ ...stream, status: "GREEN", template: name }] };
}

function notFound(probe: Probe): ClewError {
  const why = "this port takes documents, it does not search them";
  return new ClewError("NOT_FOUND", `cannot answer ${shown(probe)}: ${why}`);
}

function shown({ method, parts }: Probe): string {
  return `${method} ${JSON.stringify(`/${parts.join("/")}`.slice(0, SHOWN_CHARACTERS_MAX))}`;
}
