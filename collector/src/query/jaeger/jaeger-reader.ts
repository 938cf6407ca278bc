import type { StoredRecord } from "../../record.ts";
import { encodeOperations, encodeServices, encodeTraceIds } from "./found-trace.ts";
import { decodeFindTraces, decodeGetOperations, decodeGetTraces } from "./trace-query.ts";
import { findTraces, type TraceStore } from "./trace-search.ts";
import { encodeTracesData } from "./traces-data.ts";

/** Spans of one trace that are read at a time; a message holds fewer where they are large. */
const CHUNK_SPANS = 200;
/** Below gRPC's usual limit of 4 MiB for a message. */
const CHUNK_BYTES_MAX = 3 * 1024 * 1024;
/** A larger trace is given up to there. */
const TRACE_SPANS_MAX = 50_000;
const TRACES_PER_CALL_MAX = 1500;

/** Jaeger's questions, answered from the store: messages in, messages out. */
export class JaegerReader {
  readonly #store: TraceStore;

  constructor(store: TraceStore) {
    this.#store = store;
  }

  /** `TracesData`, each of one trace. */
  async *getTraces(message: Buffer, signal: AbortSignal): AsyncGenerator<Buffer> {
    const ids = decodeGetTraces(message).slice(0, TRACES_PER_CALL_MAX);
    for (const traceId of ids) yield* this.#traceData(traceId, signal);
  }

  async *findTraces(message: Buffer, signal: AbortSignal): AsyncGenerator<Buffer> {
    const found = await findTraces(this.#store, decodeFindTraces(message), signal);
    for (const { traceId } of found) yield* this.#traceData(traceId, signal);
  }

  async findTraceIds(message: Buffer, signal: AbortSignal): Promise<Buffer> {
    return encodeTraceIds(await findTraces(this.#store, decodeFindTraces(message), signal));
  }

  async getServices(): Promise<Buffer> {
    const services = await this.#store.services({});
    return encodeServices(services.filter(({ spans }) => spans > 0).map(({ service }) => service));
  }

  /** Those that are entered from outside; the store counts no others. Kinds are not told. */
  async getOperations(message: Buffer): Promise<Buffer> {
    const asked = decodeGetOperations(message);
    const services = await this.#store.services({});
    const found = services.find(({ service }) => service === asked.service);
    return encodeOperations(found?.operations.map(({ operation }) => operation) ?? []);
  }

  async *#traceData(traceId: string, signal: AbortSignal): AsyncGenerator<Buffer> {
    let cursor: string | null = null;
    for (let spans = 0; spans < TRACE_SPANS_MAX && !signal.aborted; spans += CHUNK_SPANS) {
      const page = await this.#store.traceSpans({
        traceId,
        limit: CHUNK_SPANS,
        ...(cursor === null ? {} : { cursor }),
      });
      yield* chunksOf(page.items);
      cursor = page.cursor;
      if (cursor === null) return;
    }
  }
}

function* chunksOf(spans: readonly StoredRecord[]): Generator<Buffer> {
  if (spans.length === 0) return;
  const data = encodeTracesData(spans);
  if (data.length <= CHUNK_BYTES_MAX || spans.length === 1) {
    yield data;
    return;
  }
  const half = Math.ceil(spans.length / 2);
  yield* chunksOf(spans.slice(0, half));
  yield* chunksOf(spans.slice(half));
}
