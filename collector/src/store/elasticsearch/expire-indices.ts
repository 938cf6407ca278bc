import type { BackingIndices } from "./backing-indices.ts";
import { readError, toStallError } from "./bulk-answer.ts";
import type { BulkClient } from "./bulk-client.ts";

/** As `.ds-logs-clew-default-2026.03.01-000001`: the day on which it was made, and its number. */
const BACKING_INDEX = /-(\d{4})\.(\d\d)\.(\d\d)-\d+$/;
/** Modules that delete what is too old by themselves. */
const LIFECYCLES: readonly string[] = ["data-streams", "x-pack-ilm"];
const ACT = "delete expired indices";

export interface ExpireOptions {
  readonly client: BulkClient;
  readonly indices: BackingIndices;
  readonly streams: readonly string[];
  /** `YYYY-MM-DD`, UTC. */
  readonly firstKeptDay: string;
}

/**
 * Deletes indices whose successor was made before the first day that is kept, for a server that has
 * no lifecycle; every complete one has, and then there is nothing to do. Answers the days on which
 * the deleted ones were made.
 */
export async function expireIndices(options: ExpireOptions): Promise<readonly string[]> {
  const { client, indices, streams, firstKeptDay } = options;
  if (await hasLifecycle(client)) return [];
  const days = new Set<string>();
  for (const stream of streams) {
    const names = await indices.list(stream);
    for (const [at, name] of names.entries()) {
      const successor = names[at + 1];
      if (successor === undefined || dayOf(successor) >= firstKeptDay) break;
      await remove(client, name);
      days.add(dayOf(name));
    }
  }
  return [...days].toSorted();
}

async function hasLifecycle(client: BulkClient): Promise<boolean> {
  const path = "/_nodes?filter_path=nodes.*.modules.name";
  const { status, body } = await client.request({ method: "GET", path });
  if (status !== 200) throw toStallError(readError(status, body), ACT);
  const { nodes = {} } = JSON.parse(body.toString("utf8")) as {
    readonly nodes?: Readonly<Record<string, { readonly modules?: readonly { name: string }[] }>>;
  };
  const names = Object.values(nodes).flatMap(({ modules = [] }) => modules.map(({ name }) => name));
  return names.some((name) => LIFECYCLES.includes(name));
}

async function remove(client: BulkClient, index: string): Promise<void> {
  const path = `/${encodeURIComponent(index)}`;
  const { status, body } = await client.request({ method: "DELETE", path });
  if (status !== 200 && status !== 404) throw toStallError(readError(status, body), ACT);
}

/** Later than every day where the name says none, so that nothing is deleted for it. */
function dayOf(index: string): string {
  const [, year, month, day] = BACKING_INDEX.exec(index) ?? [];
  return year === undefined ? "9999-99-99" : `${year}-${month}-${day}`;
}
