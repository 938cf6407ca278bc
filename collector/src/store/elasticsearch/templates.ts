/**
 * What Elasticsearch must have before the first document: how each stream is laid out and how long
 * it is kept. Pure: plain objects for `PUT`, in the order in which they must be put.
 *
 * No attribute ever makes a field: names of attributes are keys within a field of the type
 * `flattened`, whose values are all keywords. So 10 000 names, and a name with three types, cost
 * nothing and refuse no record. Everything else that is not mapped is kept and not searched
 * (`dynamic: false`).
 *
 * The mode is not `logsdb`. With these mappings on 9.5.3 (120 000 logs, one segment, with a stored
 * `_source`, as on the basic licence) it takes 72 instead of 172 bytes a record, but a fifth more
 * CPU, and a look-up takes as long. With other mappings, at a million records, looking a
 * transaction up took 21 ms instead of 5: as long as that is not measured with these, it stays
 * off. Who wants the disk rather has it with `index.mode` in `clew@custom`. The codec
 * `best_compression` takes 172 bytes where the default takes 292, for 7 % of CPU. Doc values of
 * attributes, by which people group in Kibana, are 43 bytes of it.
 */
import { INDEXED_CHARACTERS_MAX } from "./document-attributes.ts";
import { FIELD, LETTER_FIELD, SEARCHED_ONLY, STREAM } from "./document-fields.ts";
import { type FieldMapping, substituteMissingType } from "./substitute-missing-type.ts";

export interface ElasticsearchObject {
  readonly kind: "lifecycle policy" | "component template" | "index template";
  readonly name: string;
  /** As `PUT` takes it. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface TemplateOptions {
  /** Of the oldest server, as `9.5.3`. */
  readonly version: string;
  /** What every server has beside the core, as `GET /_nodes` names it. */
  readonly modules: readonly string[];
  readonly retentionDays: number;
}

/** Above the 100 of the templates that Elasticsearch brings for `logs-*-*` and `traces-*-*`. */
const PRIORITY = 500;
const POLICY = "clew";
const SETTINGS = "clew-settings";
const RECORDS = "clew-records";
const DEAD_LETTERS = "clew-dead-letters";
/** For people: settings and mappings of their own, which no setup of ours overwrites. */
const CUSTOM = "clew@custom";

const POLICY_MODULE = "x-pack-ilm";
/** From here on a data stream's own lifecycle is no preview any more. */
const STREAM_LIFECYCLE_FROM = { major: 8, minor: 14 };
/** Beyond this age or size a stream goes on in a new index, and the old one expires whole. */
const ROLLOVER_AGE = "1d";
const ROLLOVER_SHARD_SIZE = "50gb";
/** Longer keywords are kept and not searched: a term may have 32 766 bytes. */
const KEYWORD_CHARACTERS_MAX = 1024;
/** Attributes may be nested 33 deep. */
const DEPTH_MAX = 64;

export function elasticsearchObjects(options: TemplateOptions): readonly ElasticsearchObject[] {
  const { modules, retentionDays } = options;
  const hasPolicy = isKeptByPolicy(options);
  const settings = component(SETTINGS, {
    settings: { index: { ...INDEX_SETTINGS, ...(hasPolicy && { lifecycle: { name: POLICY } }) } },
    ...(!hasPolicy && { lifecycle: { data_retention: `${retentionDays}d` } }),
  });
  return [
    ...(hasPolicy ? [policy(retentionDays)] : []),
    settings,
    component(RECORDS, { mappings: mappings(recordFields(), modules, SEARCHED_ONLY) }),
    component(DEAD_LETTERS, { mappings: mappings(letterFields(), modules) }),
    stream("logs-clew", { pattern: "logs-clew-*", parts: [SETTINGS, RECORDS] }),
    stream("traces-clew", { pattern: "traces-clew-*", parts: [SETTINGS, RECORDS] }),
    stream(DEAD_LETTERS, { pattern: `${STREAM.deadLetters}*`, parts: [SETTINGS, DEAD_LETTERS] }),
  ];
}

/** Who deletes what is too old: an ILM policy where the streams cannot do it themselves. */
function isKeptByPolicy({ version, modules }: TemplateOptions): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const from = STREAM_LIFECYCLE_FROM;
  const canStream = major > from.major || (major === from.major && minor >= from.minor);
  return !canStream && modules.includes(POLICY_MODULE);
}

function policy(retentionDays: number): ElasticsearchObject {
  const rollover = { max_age: ROLLOVER_AGE, max_primary_shard_size: ROLLOVER_SHARD_SIZE };
  const phases = {
    hot: { actions: { rollover } },
    delete: { min_age: `${retentionDays}d`, actions: { delete: {} } },
  };
  return { kind: "lifecycle policy", name: POLICY, body: { policy: { phases } } };
}

function component(name: string, template: object): ElasticsearchObject {
  return { kind: "component template", name, body: { template } };
}

function stream(
  name: string,
  { pattern, parts }: { pattern: string; parts: readonly string[] },
): ElasticsearchObject {
  const body = {
    index_patterns: [pattern],
    data_stream: {},
    priority: PRIORITY,
    composed_of: [...parts, CUSTOM],
    ignore_missing_component_templates: [CUSTOM],
  };
  return { kind: "index template", name, body };
}

/** Acknowledged means on disk, whatever the cluster's own templates say of the translog. */
const INDEX_SETTINGS = { codec: "best_compression", translog: { durability: "request" } };

const KEYWORD = { type: "keyword", ignore_above: KEYWORD_CHARACTERS_MAX };
const TIME = { type: "date_nanos" };
const LONG = { type: "long" };
const FLAG = { type: "boolean" };
const ATTRIBUTES = {
  type: "flattened",
  ignore_above: INDEXED_CHARACTERS_MAX,
  depth_limit: DEPTH_MAX,
};

/** By dotted name. */
type Fields = Readonly<Record<string, FieldMapping>>;

function recordFields(): Fields {
  return {
    [FIELD.time]: TIME,
    ...all(KEYWORD, [FIELD.transactionId, FIELD.traceId, FIELD.spanId, FIELD.parentSpanId]),
    ...all(KEYWORD, [FIELD.service, FIELD.severityText, FIELD.scope]),
    [FIELD.severityNumber]: LONG,
    [FIELD.message]: { type: "match_only_text" },
    [FIELD.words]: { type: "text", analyzer: "whitespace", norms: false },
    [FIELD.attributes]: ATTRIBUTES,
    [FIELD.resourceAttributes]: ATTRIBUTES,
    [FIELD.numbers]: { ...ATTRIBUTES, doc_values: false },
    ...all(KEYWORD, [FIELD.spanKind, FIELD.operation, FIELD.spanStatus]),
    [FIELD.duration]: LONG,
    ...all(KEYWORD, [FIELD.kind, FIELD.status, FIELD.runId, FIELD.runService]),
    ...all(TIME, [FIELD.received, FIELD.end, FIELD.deadline, FIELD.numbered]),
    ...all(TIME, [FIELD.runFirstSeen, FIELD.runLastSeen]),
    ...all(FLAG, [FIELD.error, FIELD.entry, FIELD.event, FIELD.report, FIELD.afterSpan]),
    [FIELD.runFinal]: FLAG,
    [FIELD.order]: { ...LONG, index: false },
    [FIELD.durationBucket]: { type: "short", index: false },
    [FIELD.sequence]: LONG,
    [FIELD.runMade]: { type: "double" },
    // Without `ignore_above`: names of fields that stand there are never too long.
    [FIELD.unindexed]: { type: "keyword", doc_values: false },
  };
}

function letterFields(): Fields {
  return {
    ...all(TIME, [LETTER_FIELD.time, LETTER_FIELD.received]),
    ...all(KEYWORD, [LETTER_FIELD.kind, LETTER_FIELD.letter, LETTER_FIELD.transactionId]),
    [LETTER_FIELD.letterId]: { ...KEYWORD, ignore_above: INDEXED_CHARACTERS_MAX },
    ...all(KEYWORD, [LETTER_FIELD.service, LETTER_FIELD.runId, LETTER_FIELD.reason]),
    ...all(KEYWORD, [LETTER_FIELD.topic, LETTER_FIELD.act, LETTER_FIELD.actor]),
    [LETTER_FIELD.owner]: KEYWORD,
    ...all(LONG, [LETTER_FIELD.sequence, LETTER_FIELD.status]),
    ...all(LONG, [LETTER_FIELD.part, LETTER_FIELD.place]),
    [LETTER_FIELD.detail]: { type: "match_only_text" },
  };
}

function all(mapping: FieldMapping, names: readonly string[]): Fields {
  return Object.fromEntries(names.map((name) => [name, mapping]));
}

function mappings(
  fields: Fields,
  modules: readonly string[],
  searchedOnly: readonly string[] = [],
) {
  const there = Object.entries(fields).map(
    ([name, mapping]) => [name, substituteMissingType(mapping, modules)] as const,
  );
  return {
    dynamic: false,
    ...(searchedOnly.length > 0 && { _source: { excludes: searchedOnly } }),
    properties: nest(there),
  };
}

interface Properties {
  [name: string]: FieldMapping | { readonly properties: Properties };
}

/** `{"a.b": m}` as `{a: {properties: {b: m}}}`. */
function nest(fields: readonly (readonly [name: string, mapping: FieldMapping])[]): Properties {
  const root: Properties = {};
  for (const [name, mapping] of fields) {
    const path = name.split(".");
    const last = path.pop() ?? name;
    let level = root;
    for (const step of path) {
      const found = level[step];
      const inner = found !== undefined && "properties" in found ? found.properties : {};
      level[step] = { properties: inner as Properties };
      level = inner as Properties;
    }
    level[last] = mapping;
  }
  return root;
}
