import { expect, test } from "vitest";
import { sampleSpan } from "../../../test/span-samples.ts";
import type { LogFilter } from "../../store/store.ts";
import type { TraceQuery } from "./trace-query.ts";
import { findTraces, type TraceStore } from "./trace-search.ts";

const QUERY: TraceQuery = {
  ...{ service: "", operation: "", attributes: [], fromNs: undefined, toNs: undefined },
  ...{ durationMinNs: undefined, durationMaxNs: undefined, depth: 3 },
};

/** A store without end: each page has two spans of one trace more. */
function endlessStore(name: string) {
  const asked: LogFilter[] = [];
  const store: Pick<TraceStore, "searchLogs"> = {
    searchLogs: async (filter) => {
      asked.push(filter);
      const trace = String(asked.length).padStart(32, "0");
      const spans = ["a", "b"].map((id) =>
        sampleSpan({ id, trace, service: "s", kind: "server", name }),
      );
      return { items: spans, cursor: String(asked.length), isCut: false };
    },
  };
  return { store: store as TraceStore, asked };
}

test("asks on until it has as many traces as are wanted, each once", async () => {
  const { store, asked } = endlessStore("GET");
  const found = await findTraces(store, { ...QUERY, operation: "GET" }, AbortSignal.timeout(5000));
  expect(found.map(({ traceId }) => Number(traceId))).toEqual([1, 2, 3]);
  expect(asked.map(({ cursor }) => cursor)).toEqual([undefined, "1", "2"]);
});

test("ends where nothing fits, after a bounded number of spans", async () => {
  const { store, asked } = endlessStore("GET");
  const query = { ...QUERY, operation: "POST" };
  expect(await findTraces(store, query, AbortSignal.timeout(5000))).toEqual([]);
  expect(asked).toHaveLength(40);
});

test("ends where the caller has gone", async () => {
  const { store, asked } = endlessStore("GET");
  expect(await findTraces(store, QUERY, AbortSignal.abort())).toEqual([]);
  expect(asked).toEqual([]);
});
