import type { Signal } from "./otlp-schema.ts";
import { ProtobufReader, WIRE } from "./protobuf-reader.ts";

/** An export request of its own: a part of the one that was split. */
export interface ExportPart {
  readonly value: Buffer;
  /** Log records, spans or data points in it. */
  readonly records: number;
  /** Larger than a part may be, and not to be split further: one record, or a group as below. */
  readonly isTooLarge: boolean;
}

/**
 * Splits an export request that `walkOtlp` has checked at record bounds, so that each part is at
 * most `maxBytes`. Resource, scope (for metrics the metric too) and whatever else stands beside the
 * records are repeated in each part. Nothing is decoded: parts are made of ranges of `value`.
 *
 * A record that is too large for a part comes alone, marked. So does a whole group of records whose
 * resource and scope alone would take more than half a part: repeating these for each of its
 * records would make gigabytes of one request. So all parts together are at most some four times
 * the request.
 */
export function* splitExport(request: {
  signal: Signal;
  value: Buffer;
  maxBytes: number;
}): Generator<ExportPart> {
  const { signal, value, maxBytes } = request;
  const splitter = new Splitter(RECORD_PATH[signal], value, maxBytes);
  yield* splitter.group({ tag: 0, start: 0, end: value.length }, 0);
  yield* splitter.flush();
}

/*
 * By signal, the fields that lead from the request down to its records: request, resource, scope,
 * then the records; of metrics each metric, of one of five kinds, has data points of its own.
 */
const BELOW_SCOPE = [[1], [2], [2]] as const;
const RECORD_PATH: Readonly<Record<Signal, readonly (readonly number[])[]>> = {
  logs: BELOW_SCOPE,
  traces: BELOW_SCOPE,
  metrics: [...BELOW_SCOPE, [5, 7, 9, 10, 11], [1]],
};
/** Tag (all these fields are below 16) and a length of at most 31 bits. */
const FIELD_HEAD_BYTES_MAX = 6;

/** A range of the request. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** A field of the request from its tag to its last byte; the request itself has tag 0. */
interface Field extends Range {
  readonly tag: number;
}

/** A group that is open in the part being made: it is closed, and opened again, with each part. */
interface Frame {
  readonly tag: number;
  /** What every part of this group repeats. */
  readonly shared: readonly Buffer[];
  readonly sharedBytes: number;
  /** Its groups or records in the part being made, encoded. */
  readonly pieces: Buffer[];
}

class Splitter {
  private readonly path: readonly (readonly number[])[];
  private readonly value: Buffer;
  private readonly maxBytes: number;
  private readonly frames: Frame[] = [];
  /** Of every open frame. */
  private openBytes = 0;
  /** Of the part being made, with every open frame: never less than it will be. */
  private bytes = 0;
  private records = 0;
  /** Records that stand side by side are one piece, for they may have two bytes each. */
  private run = { start: 0, end: 0 };
  /** The request's own contents, once its frame is closed. */
  private readonly closed: Buffer[] = [];

  constructor(path: readonly (readonly number[])[], value: Buffer, maxBytes: number) {
    this.path = path;
    this.value = value;
    this.maxBytes = maxBytes;
  }

  /** Adds a group's records to the part being made; yields each part that is full on the way. */
  *group(field: Field, depth: number): Generator<ExportPart> {
    const body = this.bodyOf(field);
    const numbers = this.path[depth] ?? [];
    const bytesMax = this.maxBytes / 2 - this.openBytes;
    const shared = findShared(this.value, { body, numbers, bytesMax });
    if (shared === undefined) {
      yield* this.whole(field, depth);
      return;
    }
    if (this.bytes + shared.bytes > this.maxBytes) yield* this.flush();
    this.open({ tag: field.tag, shared: shared.pieces, sharedBytes: shared.bytes, pieces: [] });
    const isOfRecords = depth === this.path.length - 1;
    for (const member of membersOf(this.value, body, numbers)) {
      if (isOfRecords) yield* this.record(member);
      else yield* this.group(member, depth + 1);
    }
    this.close();
  }

  /** The part that is made, where it holds a record; every open group goes on in the next. */
  *flush(): Generator<ExportPart> {
    const { records } = this;
    if (records > 0) {
      this.endRun();
      let inner: Buffer | undefined;
      for (const frame of this.frames.toReversed()) {
        if (inner !== undefined) frame.pieces.push(inner);
        inner = frame.pieces.length === 0 ? undefined : encode(frame);
        frame.pieces.length = 0;
      }
      const value = inner ?? Buffer.concat(this.closed);
      this.closed.length = 0;
      yield { value, records, isTooLarge: false };
    }
    this.records = 0;
    this.bytes = this.openBytes;
  }

  private *record({ start, end }: Field): Generator<ExportPart> {
    const bytes = end - start;
    if (this.openBytes + bytes > this.maxBytes) {
      yield this.alone(this.value.subarray(start, end), 1);
      return;
    }
    if (this.bytes + bytes > this.maxBytes) yield* this.flush();
    if (this.run.end !== start) {
      this.endRun();
      this.run.start = start;
    }
    this.run.end = end;
    this.bytes += bytes;
    this.records++;
  }

  /** A group that cannot be repeated, in one piece. */
  private *whole(field: Field, depth: number): Generator<ExportPart> {
    const records = this.count(field, depth);
    if (records > 0) yield this.alone(this.value.subarray(field.start, field.end), records);
  }

  /** A part with this piece only, in the groups that are open. */
  private alone(piece: Buffer, records: number): ExportPart {
    let value = piece;
    for (const frame of this.frames.toReversed()) value = encode({ ...frame, pieces: [value] });
    return { value, records, isTooLarge: true };
  }

  private open(frame: Frame): void {
    this.frames.push(frame);
    this.openBytes += frame.sharedBytes;
    this.bytes += frame.sharedBytes;
  }

  /** The innermost group ends; what it holds becomes a piece of the group around it. */
  private close(): void {
    this.endRun();
    const frame = this.frames.pop() as Frame;
    this.openBytes -= frame.sharedBytes;
    if (frame.pieces.length === 0) this.bytes -= frame.sharedBytes;
    else (this.frames.at(-1)?.pieces ?? this.closed).push(encode(frame));
  }

  private endRun(): void {
    const { start, end } = this.run;
    if (end > start) this.frames.at(-1)?.pieces.push(this.value.subarray(start, end));
    this.run = { start: 0, end: 0 };
  }

  private count(field: Field, depth: number): number {
    const numbers = this.path[depth];
    if (numbers === undefined) return 1;
    let records = 0;
    for (const member of membersOf(this.value, this.bodyOf(field), numbers)) {
      records += this.count(member, depth + 1);
    }
    return records;
  }

  private bodyOf(field: Field): Range {
    if (field.tag === 0) return field;
    const reader = new ProtobufReader(this.value, field.start, field.end);
    reader.tag();
    const end = reader.enter();
    return { start: reader.position, end };
  }
}

function* membersOf(value: Buffer, body: Range, numbers: readonly number[]): Generator<Field> {
  const reader = new ProtobufReader(value, body.start, body.end);
  while (!reader.isAtEnd()) {
    const start = reader.position;
    const tag = reader.tag();
    reader.skip(tag & 7);
    if (isMember(tag, numbers)) yield { tag, start, end: reader.position };
  }
}

/** All but the members, which may stand anywhere between; undefined beyond `bytesMax`. */
function findShared(
  value: Buffer,
  { body, numbers, bytesMax }: { body: Range; numbers: readonly number[]; bytesMax: number },
): { pieces: Buffer[]; bytes: number } | undefined {
  const reader = new ProtobufReader(value, body.start, body.end);
  const pieces: Buffer[] = [];
  let bytes = FIELD_HEAD_BYTES_MAX;
  while (!reader.isAtEnd()) {
    const start = reader.position;
    const tag = reader.tag();
    reader.skip(tag & 7);
    if (isMember(tag, numbers)) continue;
    pieces.push(value.subarray(start, reader.position));
    bytes += reader.position - start;
    if (bytes > bytesMax) return undefined;
  }
  return bytes > bytesMax ? undefined : { pieces, bytes };
}

function isMember(tag: number, numbers: readonly number[]): boolean {
  return (tag & 7) === WIRE.bytes && numbers.includes(tag >>> 3);
}

/** Tag, length, what is shared, pieces; the request (tag 0) has neither tag nor length. */
function encode({ tag, shared, pieces }: Pick<Frame, "tag" | "shared" | "pieces">): Buffer {
  if (tag === 0) return Buffer.concat([...shared, ...pieces]);
  const head = [tag];
  let rest = 0;
  for (const piece of shared) rest += piece.length;
  for (const piece of pieces) rest += piece.length;
  for (; rest >= 0x80; rest >>>= 7) head.push((rest & 0x7f) | 0x80);
  head.push(rest);
  return Buffer.concat([Buffer.from(head), ...shared, ...pieces]);
}
