import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, expect, test } from "vitest";
import { batchOf, logRecord } from "../../../test/record-fixtures.ts";
import type { StoreWriter } from "../store.ts";
import { openElasticsearchStoreWriter } from "./elasticsearch-store-writer.ts";

/** What a real server cannot be made to do at will: a proxy's answers, and none at all. */
type Act = "take" | "no answer" | "half" | "unreadable" | "8.12" | number;

const UNKNOWN_PARAMETER = {
  error: {
    type: "illegal_argument_exception",
    reason: "request [/logs/_bulk] contains unrecognized parameter: [require_data_stream]",
  },
};
const UNREADABLE = { error: { type: "parse_exception", reason: "cannot be read" }, status: 400 };

let server: Server | undefined;
let writer: StoreWriter | undefined;

afterEach(async () => {
  await writer?.stop();
  server?.closeAllConnections();
  server?.close();
});

/** An Elasticsearch of one index, which does with each bulk request what is next in the list. */
async function serve(acts: readonly Act[]) {
  const left = [...acts];
  const stored = new Map<string, number>();
  const requests: number[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://x");
    const body = await text(request);
    if (pathname.startsWith("/_resolve")) {
      const name = pathname.split("/").at(-1);
      return response.end(JSON.stringify({ data_streams: [{ name, backing_indices: ".ds-1" }] }));
    }
    if (pathname.endsWith("/_mget")) {
      const { ids } = JSON.parse(body) as { ids: string[] };
      return response.end(JSON.stringify({ docs: ids.map((id) => ({ found: stored.has(id) })) }));
    }
    if (acts[0] === "8.12" && searchParams.has("require_data_stream")) {
      return response.writeHead(400).end(JSON.stringify(UNKNOWN_PARAMETER));
    }
    const lines = body.trimEnd().split("\n");
    const ids = lines.filter((_, at) => at % 2 === 0).map((line) => JSON.parse(line).create._id);
    requests.push(ids.length);
    const act = left.shift() ?? "take";
    if (typeof act === "number") return response.writeHead(act).end("from the proxy");
    if (act === "unreadable") return response.writeHead(400).end(JSON.stringify(UNREADABLE));
    const taken = act === "half" ? ids.slice(0, Math.ceil(ids.length / 2)) : ids;
    for (const id of taken) stored.set(id, (stored.get(id) ?? 0) + 1);
    if (act === "no answer") return request.socket.destroy();
    const items = ids.map((id) => ({ create: { status: taken.includes(id) ? 201 : 429 } }));
    return response.end(JSON.stringify({ errors: act === "half", items }));
  };
  server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const connection = {
    ...{ urls: [`http://127.0.0.1:${port}`], headers: {}, ca: undefined },
    ...{ connectTimeoutMs: 5_000, requestTimeoutMs: 5_000 },
  };
  writer = openElasticsearchStoreWriter({ connection, random: () => 0, warn: () => undefined });
  return { writer, stored, requests };
}

function records(count: number) {
  return batchOf(Array.from({ length: count }, (_, n) => logRecord(`r${n}`)));
}

test.each<[string, Act[], object]>([
  ["answers at once", [], { created: 40, existing: 0 }],
  ["is older than a parameter", ["8.12"], { created: 40, existing: 0 }],
  ["is busy for half of them, twice", ["half", "half"], { created: 40, existing: 0 }],
  ["is behind a proxy that answers 502", [502, 503, 504], { created: 40, existing: 0 }],
  ["answers 429 to whole requests", [429, 429], { created: 40, existing: 0 }],
  ["writes them and gives no answer", ["no answer"], { created: 0, existing: 40 }],
  ["writes and a proxy answers 504", ["no answer", 504], { created: 0, existing: 40 }],
])("each record is stored once where Elasticsearch %s", async (_, acts, result) => {
  const store = await serve(acts);
  expect(await store.writer.write(records(40))).toEqual({ ...result, refused: [] });
  expect([...store.stored.values()]).toEqual(Array.from({ length: 40 }, () => 1));
});

test("only those that were not taken are sent again", async () => {
  const store = await serve(["half"]);
  await store.writer.write(records(40));
  expect(store.requests).toEqual([40, 20]);
});

test("of a request that cannot be read, the record to blame is found", async () => {
  const store = await serve(["unreadable", "unreadable", "take", "unreadable", "take"]);
  const { created, refused } = await store.writer.write(records(4));
  expect(created).toBe(3);
  expect(refused).toEqual([{ index: 1, status: 400, reason: "parse_exception: cannot be read" }]);
});

test.each<[number, string]>([
  [400, "STORE_UNAVAILABLE"],
  [401, "STORE_REFUSED"],
  [405, "STORE_UNAVAILABLE"],
])("no record is to blame for a proxy's %i", async (status, code) => {
  const store = await serve([status]);
  await expect(store.writer.write(records(4))).rejects.toMatchObject({
    code,
    message: expect.stringContaining("from the proxy"),
  });
});

test("what failed is looked for before it is written again", async () => {
  const store = await serve(["no answer", 401]);
  await store.writer.write(records(2));
  const wrong = store.writer.write(batchOf([logRecord("late")]));
  await expect(wrong).rejects.toMatchObject({ code: "STORE_REFUSED" });
  store.stored.set("late", 1);
  const late = batchOf([logRecord("late"), logRecord("new")]);
  expect(await store.writer.write(late)).toEqual({ created: 1, existing: 1, refused: [] });
  expect(store.stored.get("late")).toBe(1);
});
