/** Writes the store in Elasticsearch: documents are created, and nothing is ever changed. */
import { ClewError } from "../../errors.ts";
import { type IncomingRecord, RECORD_KINDS, type RecordKind } from "../../record.ts";
import type {
  RecordRefusal,
  StoreWriter,
  WriteBatch,
  WriteFigures,
  WriteResult,
} from "../store.ts";
import { BackingIndices } from "./backing-indices.ts";
import { BulkBatch } from "./bulk-batch.ts";
import { BulkBody } from "./bulk-body.ts";
import { BulkClient } from "./bulk-client.ts";
import { BulkLimits } from "./bulk-limits.ts";
import { BulkSender, type BulkTally } from "./bulk-sender.ts";
import { actEntries, type LetterEntry, refusalEntries } from "./document-dead-letter.ts";
import { DocumentEncoder } from "./document-encoder.ts";
import { STREAM } from "./document-fields.ts";
import type { ElasticsearchConnection } from "./elasticsearch-config.ts";
import { expireIndices } from "./expire-indices.ts";
import { JsonBuffer } from "./json-buffer.ts";
import type { StoreStreams } from "./reader/store-streams.ts";
import { RolloverDoubles } from "./rollover-doubles.ts";

export interface ElasticsearchStoreWriterOptions {
  readonly connection: ElasticsearchConnection;
  /** Is told what a person may want to change, in a sentence. */
  readonly warn?: (sentence: string) => void;
  /** Those of document-fields.ts where nothing is said. */
  readonly streams?: StoreStreams;
  /** Any clock; of records it only makes their order. */
  readonly nowMs?: () => number;
  readonly random?: () => number;
}

/** Of an `_id`, by Elasticsearch; a longer one has the whole request refused. */
const ID_BYTES_MAX = 512;
const UTF8_BYTES_MAX = 3;
/** The range of `date_nanos`, which the embedded store's days lie in as well. */
const RECEIVED_END_NS = 2n ** 63n;
/** More of them are not remembered: from then on every record is looked for. */
const DOUBTFUL_MAX = 100_000;
/** Kept for the next requests. */
const BUFFERS_KEPT_MAX = 10;
const BUFFER_BYTES_MAX = 8 * 1024 * 1024;
const BUFFER_SPARE_BYTES = 64 * 1024;
/** Of what is refused here, as Elasticsearch itself would answer. */
const NOT_TAKEN = 400;
/**
 * Some five megabytes of JSON: several requests, which are in flight at once. More would cost more
 * than it gives: the records of a batch outlive two rounds of the garbage collector.
 */
const BATCH = { bytes: 1536 * 1024, records: 6_000 } as const;

/**
 * Opens the writer; no connection is made yet. The templates must be there before the first `write`
 * (set-up-elasticsearch.ts). What it writes is found by a search that refreshes first.
 */
export function openElasticsearchStoreWriter(
  options: ElasticsearchStoreWriterOptions,
): StoreWriter & Required<Pick<StoreWriter, "figures">> {
  return new ElasticsearchStoreWriter(options);
}

/** A log and a span may have one id: they lie in different streams. */
type WrittenIds = Readonly<Record<RecordKind, ReadonlySet<string>>>;

class ElasticsearchStoreWriter implements StoreWriter {
  readonly batch = BATCH;
  readonly #streams: StoreStreams;
  readonly #client: BulkClient;
  readonly #indices: BackingIndices;
  readonly #doubles: RolloverDoubles;
  readonly #limits = new BulkLimits();
  readonly #sender: BulkSender;
  readonly #encoder: DocumentEncoder;
  readonly #stop = new AbortController();
  readonly #buffers: JsonBuffer[] = [];
  /** Of batches that failed: some of their records may be written. */
  readonly #doubtful = new Set<string>();
  #isAllDoubtful = false;

  constructor(options: ElasticsearchStoreWriterOptions) {
    const { connection, streams = STREAM, nowMs = Date.now, random = Math.random } = options;
    const { warn = (sentence) => process.stderr.write(`${sentence}\n`) } = options;
    this.#streams = streams;
    this.#client = new BulkClient(connection);
    this.#indices = new BackingIndices(this.#client);
    this.#doubles = new RolloverDoubles({ client: this.#client, indices: this.#indices, warn });
    this.#encoder = new DocumentEncoder({ nowMs });
    this.#sender = new BulkSender({
      ...{ client: this.#client, limits: this.#limits, indices: this.#indices, random },
      nowMs: () => performance.now(),
      signal: this.#stop.signal,
      warn,
    });
  }

  figures(): WriteFigures {
    return this.#limits.figures();
  }

  /** The bus keeps them: what lies here says nothing of what lay before it. */
  async positions(): Promise<ReadonlyMap<string, number>> {
    this.#refuseWhenStopped("read the positions");
    return new Map();
  }

  async write(batch: WriteBatch): Promise<WriteResult> {
    this.#refuseWhenStopped("write");
    try {
      const result = await this.#writeRecords(batch.records);
      await this.#writeLetters(batch);
      return result;
    } catch (thrown) {
      this.#doubt(batch.records);
      if (!this.#stop.signal.aborted) throw thrown;
      throw new ClewError("STORE_STOPPED", "cannot write: the store stopped", { cause: thrown });
    }
  }

  async expire(firstKeptDay: string): Promise<readonly string[]> {
    this.#refuseWhenStopped("expire days");
    if (!/^\d{4}-\d\d-\d\d$/.test(firstKeptDay)) {
      const why = `${JSON.stringify(firstKeptDay)} is not YYYY-MM-DD`;
      throw new ClewError("PARAMETER_INVALID", `cannot expire days: ${why}`);
    }
    const streams = Object.values(this.#streams);
    return expireIndices({ client: this.#client, indices: this.#indices, streams, firstKeptDay });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#client.stop();
  }

  async #writeRecords(records: readonly IncomingRecord[]): Promise<WriteResult> {
    const kinds = RECORD_KINDS.filter((kind) => records.some((record) => record.kind === kind));
    for (const kind of kinds) await this.#doubles.watch(this.#streamOf(kind));
    const written = await this.#findWritten(records);
    const batch = this.#startBatch();
    const { tally } = batch;
    const bodies: Record<RecordKind, BulkBody> = this.#startBodies();
    try {
      this.#encoder.begin();
      for (let place = 0; place < records.length; place++) {
        const record = records[place] as IncomingRecord;
        const { kind } = record;
        const reason = reasonToRefuse(record);
        if (written?.[kind].has(record.id) === true) tally.existing++;
        else if (reason !== undefined) tally.refused.push({ place, status: NOT_TAKEN, reason });
        else {
          const body = kind === "log" ? bodies.log : bodies.span;
          this.#encoder.encode(body.json, record);
          body.end(record.id, place);
          if (body.json.length < this.#limits.requestBytes) continue;
          bodies[kind] = this.#startBody(body.stream);
          await batch.add(body);
        }
      }
      await batch.add(bodies.log);
      await batch.add(bodies.span);
    } finally {
      this.#encoder.end();
      await batch.done();
    }
    for (const kind of kinds) {
      const sent = records.filter((of) => of.kind === kind && reasonToRefuse(of) === undefined);
      const ids = sent.map(({ id }) => id);
      const removed = await this.#doubles.remove(this.#streamOf(kind), ids);
      const doubles = Math.min(tally.created, removed);
      tally.created -= doubles;
      tally.existing += doubles;
    }
    if (this.#doubtful.size > 0) for (const { id } of records) this.#doubtful.delete(id);
    return { created: tally.created, existing: tally.existing, refused: refusals(tally) };
  }

  /** Ids of those that may have been written before, and were; undefined where none may. */
  async #findWritten(records: readonly IncomingRecord[]): Promise<WrittenIds | undefined> {
    const asked: Record<RecordKind, string[]> = { log: [], span: [] };
    for (const record of records) {
      if (!record.mayRepeat && !this.#isDoubtful(record.id)) continue;
      if (reasonToRefuse(record) === undefined) asked[record.kind].push(record.id);
    }
    // A set is not asked for every record where it would be empty: that takes a hash of each id.
    if (asked.log.length === 0 && asked.span.length === 0) return undefined;
    const [log, span] = await Promise.all([
      this.#indices.find(this.#streams.logs, asked.log),
      this.#indices.find(this.#streams.traces, asked.span),
    ]);
    return { log, span };
  }

  #isDoubtful(id: string): boolean {
    return this.#isAllDoubtful || (this.#doubtful.size > 0 && this.#doubtful.has(id));
  }

  /** What tells of a refusal or an act comes after the bytes that belong to it. */
  async #writeLetters({ deadLetters, deadLetterActs }: WriteBatch): Promise<void> {
    const entries = [...deadLetters.map(refusalEntries), ...deadLetterActs.map(actEntries)];
    await this.#writeEntries(entries.flatMap((of) => of.slice(0, -1)));
    await this.#writeEntries(entries.flatMap((of) => of.slice(-1)));
  }

  async #writeEntries(entries: readonly LetterEntry[]): Promise<void> {
    const written = await this.#indices.find(
      this.#streams.deadLetters,
      entries.map(({ id }) => id),
    );
    const batch = this.#startBatch();
    let body = this.#startBody(this.#streams.deadLetters);
    for (const [place, { id, document }] of entries.entries()) {
      if (written.has(id)) continue;
      body.json.utf8(`${JSON.stringify({ create: { _id: id } })}\n${JSON.stringify(document)}\n`);
      body.end(id, place);
      if (body.json.length < this.#limits.requestBytes) continue;
      await batch.add(body);
      body = this.#startBody(this.#streams.deadLetters);
    }
    await batch.add(body);
    await batch.done();
    const [refused] = batch.tally.refused;
    if (refused === undefined) return;
    // Nothing is left to put it into: what cannot be kept must not be passed over.
    const why = `it was refused (${refused.status}): ${refused.reason}`;
    throw new ClewError("STORE_UNAVAILABLE", `cannot keep a dead letter: ${why}`);
  }

  #streamOf(kind: RecordKind): string {
    return kind === "log" ? this.#streams.logs : this.#streams.traces;
  }

  #startBatch(): BulkBatch {
    const recycle = (json: JsonBuffer) => this.#giveBuffer(json);
    return new BulkBatch({ sender: this.#sender, limits: this.#limits, recycle });
  }

  #startBodies(): Record<RecordKind, BulkBody> {
    const { logs, traces } = this.#streams;
    return { log: this.#startBody(logs), span: this.#startBody(traces) };
  }

  #startBody(stream: string): BulkBody {
    const capacity = this.#limits.requestBytes + BUFFER_SPARE_BYTES;
    return new BulkBody(stream, this.#buffers.pop() ?? new JsonBuffer(capacity));
  }

  #giveBuffer(json: JsonBuffer): void {
    if (this.#buffers.length >= BUFFERS_KEPT_MAX || json.bytes.length > BUFFER_BYTES_MAX) return;
    json.length = 0;
    this.#buffers.push(json);
  }

  #doubt(records: readonly IncomingRecord[]): void {
    for (const { id } of records) this.#doubtful.add(id);
    if (this.#doubtful.size <= DOUBTFUL_MAX) return;
    this.#isAllDoubtful = true;
    this.#doubtful.clear();
  }

  #refuseWhenStopped(doing: string): void {
    if (!this.#stop.signal.aborted) return;
    throw new ClewError("STORE_STOPPED", `cannot ${doing}: the store stopped`);
  }
}

function reasonToRefuse({ id, receivedNs }: IncomingRecord): string | undefined {
  if (id === "") return "it has no id";
  const isLong = id.length * UTF8_BYTES_MAX > ID_BYTES_MAX;
  if (isLong && Buffer.byteLength(id) > ID_BYTES_MAX) {
    return `its id has ${Buffer.byteLength(id)} bytes: Elasticsearch takes ${ID_BYTES_MAX}`;
  }
  if (receivedNs >= 0n && receivedNs < RECEIVED_END_NS) return undefined;
  return `received at ${receivedNs} ns: no time from 1970 to 2261`;
}

function refusals({ refused }: BulkTally): readonly RecordRefusal[] {
  return refused
    .map(({ place, status, reason }) => ({ index: place, status, reason }))
    .toSorted((a, b) => a.index - b.index);
}
