import { ClewError } from "../../errors.ts";
import type { ElasticsearchClient } from "./client.ts";
import { toElasticsearchError } from "./elasticsearch-errors.ts";

/** What the servers that answer are able to do. */
export interface ElasticsearchServer {
  /** Of the oldest node, as `9.5.3`. */
  readonly version: string;
  /** What every node has beside the core, as `mapper-extras`. */
  readonly modules: ReadonlySet<string>;
}

const MAJOR_MIN = 8;

/**
 * Asks who answers, and whether we can work with it. It takes the cluster privilege `monitor`.
 * @throws ClewError STORE_UNAVAILABLE where nobody answers; STORE_REFUSED where only a person's act
 * helps: who we are, TLS, a version that is too old, another product.
 */
export async function checkElasticsearch(
  client: ElasticsearchClient,
  signal?: AbortSignal,
): Promise<ElasticsearchServer> {
  // Every product answers at `/`, this only Elasticsearch; and it says what a server lacks.
  const nodes = await askNodes(client, signal);
  const [first, ...others] = nodes;
  if (first === undefined) {
    throw new ClewError("STORE_UNAVAILABLE", "cannot use Elasticsearch: it names no node");
  }
  const version = others.reduce((oldest, node) => older(oldest, node.version), first.version);
  if (majorOf(version) < MAJOR_MIN) {
    const why = `version ${version} is too old, ${MAJOR_MIN} or newer is needed`;
    throw new ClewError("STORE_REFUSED", `cannot use Elasticsearch: ${why}`);
  }
  const isEverywhere = (name: string) => others.every(({ modules }) => modules.has(name));
  return { version, modules: new Set([...first.modules].filter(isEverywhere)) };
}

interface Node {
  readonly version: string;
  readonly modules: ReadonlySet<string>;
}

async function askNodes(
  client: ElasticsearchClient,
  signal: AbortSignal | undefined,
): Promise<readonly Node[]> {
  const filter = ["nodes.*.version", "nodes.*.modules.name"];
  try {
    const { nodes } = await client.nodes.info(
      { filter_path: filter },
      { ...(signal && { signal }) },
    );
    return Object.values(nodes ?? {}).map(({ version, modules = [] }) => {
      return { version, modules: new Set(modules.map(({ name }) => name)) };
    });
  } catch (cause) {
    throw toElasticsearchError(cause, "use Elasticsearch");
  }
}

function older(a: string, b: string): string {
  return majorOf(a) <= majorOf(b) ? a : b;
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10);
}
