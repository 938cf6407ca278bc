import { createHash } from "node:crypto";
import { ClewError } from "../../errors.ts";
import { checkElasticsearch } from "./check-elasticsearch.ts";
import type { ElasticsearchClient } from "./client.ts";
import { STREAM } from "./document-fields.ts";
import { elasticsearchStatus, toElasticsearchError } from "./elasticsearch-errors.ts";
import { type ElasticsearchObject, elasticsearchObjects } from "./templates.ts";

export interface ElasticsearchSetupOptions {
  readonly client: ElasticsearchClient;
  /** How long records are kept, by the lifecycle that the server has. */
  readonly retentionDays: number;
  /**
   * Hears what is of our version, was made with other settings, and may not be changed by us: it is
   * left as it is. Absent: that is an error.
   */
  readonly warn?: (line: string) => void;
}

/** What is there now. */
export interface ElasticsearchSetup {
  readonly version: string;
  readonly objects: readonly {
    readonly kind: ElasticsearchObject["kind"];
    readonly name: string;
    /** `newer`: of a newer version of Clew; `kept`: not ours to change. Both are left so. */
    readonly outcome: "created" | "updated" | "present" | "newer" | "kept";
  }[];
}

type Outcome = ElasticsearchSetup["objects"][number]["outcome"];

/** Grows whenever the objects change, so that an older collector does not take them back. */
const OBJECTS_VERSION = 1;
/** Of a server whose data streams have a lifecycle of their own. */
const LIFECYCLE_MODULE = "data-streams";
const PATH = {
  "lifecycle policy": "/_ilm/policy",
  "component template": "/_component_template",
  "index template": "/_index_template",
} as const satisfies Record<ElasticsearchObject["kind"], string>;
const RIGHTS = "clew setup makes it, with the right manage_index_templates";

/**
 * Makes what Elasticsearch needs to have before the first record is written. Safe to run twice, and
 * from several processes at once: what is there and the same is left alone.
 * @throws ClewError as `checkElasticsearch`; STORE_REFUSED too where an object is not there and we
 * may not make it.
 */
export async function setUpElasticsearch(
  options: ElasticsearchSetupOptions,
): Promise<ElasticsearchSetup> {
  const { client, retentionDays, warn } = options;
  const { version, modules } = await checkElasticsearch(client);
  const wanted = elasticsearchObjects({ version, modules: [...modules], retentionDays });
  const objects: ElasticsearchSetup["objects"][number][] = [];
  // Index templates name the others, which must be there before them.
  for (const object of wanted) {
    const { kind, name } = object;
    objects.push({ kind, name, outcome: await install({ client, object, warn }) });
  }
  // Only where a person asked for it: it takes a right that indexers need not have.
  const hasPolicy = wanted.some(({ kind }) => kind === "lifecycle policy");
  const canKeep = modules.has(LIFECYCLE_MODULE) && !hasPolicy;
  if (warn === undefined && canKeep) await keepStreams(client, retentionDays);
  return { version, objects };
}

/** A template tells only streams that are made from then on; one that is there is told itself. */
async function keepStreams(client: ElasticsearchClient, retentionDays: number): Promise<void> {
  const body = { data_retention: `${retentionDays}d` };
  for (const name of Object.values(STREAM)) {
    const path = `/_data_stream/${name}/_lifecycle`;
    try {
      await client.transport.request({ method: "PUT", path, body }, { ignore: [404] });
    } catch (cause) {
      const error = toElasticsearchError(cause, `say how long ${name} is kept`);
      if (elasticsearchStatus(cause) !== 403) throw error;
      const needed = "the right manage_data_stream_lifecycle on it";
      throw new ClewError(error.code, `${error.message}; it takes ${needed}`, { cause });
    }
  }
}

async function install(request: {
  readonly client: ElasticsearchClient;
  readonly object: ElasticsearchObject;
  readonly warn: ((line: string) => void) | undefined;
}): Promise<Outcome> {
  const { client, object, warn } = request;
  const { kind, name, body } = object;
  const digest = createHash("sha256").update(JSON.stringify(body)).digest("hex");
  const act = `set up the ${kind} ${name}`;
  const path = `${PATH[kind]}/${encodeURIComponent(name)}`;
  let found: Meta | undefined;
  try {
    found = await findMeta(client, { path, object });
    if (found !== undefined && found.version > OBJECTS_VERSION) return "newer";
    if (found?.version === OBJECTS_VERSION && found.digest === digest) return "present";
    const _meta = { managed_by: "clew", version: OBJECTS_VERSION, digest };
    await client.transport.request({ method: "PUT", path, body: withMeta(object, _meta) });
    return found === undefined ? "created" : "updated";
  } catch (cause) {
    const error = toElasticsearchError(cause, act);
    if (elasticsearchStatus(cause) !== 403) throw error;
    if (found?.version === OBJECTS_VERSION && warn !== undefined) {
      warn(
        `the ${kind} ${name} was made with other settings, and is left so; clew setup changes it`,
      );
      return "kept";
    }
    throw new ClewError(error.code, `${error.message}; ${RIGHTS}`, { cause });
  }
}

interface Meta {
  readonly version: number;
  readonly digest: string;
}

/** Undefined where there is no such object; of one that is not ours, version 0. */
async function findMeta(
  client: ElasticsearchClient,
  { path, object }: { path: string; object: ElasticsearchObject },
): Promise<Meta | undefined> {
  const answer = await client.transport.request<unknown>(
    { method: "GET", path },
    { ignore: [404] },
  );
  const found = bodyOf(answer, object);
  if (found === undefined) return undefined;
  const meta = memberOf(found, "_meta");
  const version = memberOf(meta, "version");
  const digest = memberOf(meta, "digest");
  return {
    version: typeof version === "number" ? version : 0,
    digest: typeof digest === "string" ? digest : "",
  };
}

/** A policy is answered under its name, a template in a list of one. */
function bodyOf(answer: unknown, { kind, name }: ElasticsearchObject): unknown {
  if (kind === "lifecycle policy") return memberOf(memberOf(answer, name), "policy");
  const [key, inner] =
    kind === "component template"
      ? (["component_templates", "component_template"] as const)
      : (["index_templates", "index_template"] as const);
  const list = memberOf(answer, key);
  return Array.isArray(list) ? memberOf(list[0], inner) : undefined;
}

function withMeta({ kind, body }: ElasticsearchObject, _meta: object): object {
  if (kind !== "lifecycle policy") return { ...body, _meta };
  return { policy: { ...memberAsObject(body, "policy"), _meta } };
}

function memberAsObject(value: object, key: string): object {
  const found = memberOf(value, key);
  return typeof found === "object" && found !== null ? found : {};
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}
