import { LINE_BYTES_MAX } from "../../lines/line-splitter.ts";
import { findContainerLine } from "./container-line.ts";
import { Lane } from "./lane.ts";
import { type CutLine, LineCutter } from "./line-cutter.ts";
import { type Multiline, RecordJoiner, type TextLine } from "./record-joiner.ts";
import { decodeText, type TextEncoding } from "./text-encoding.ts";

/** One record's text, and where it stands in its file. */
export interface AssembledRecord extends TextLine {
  readonly lane: Lane;
  /** Of a container's output. */
  readonly stream: LaneName;
}

/** Lines that are not of a container are in the lane without a name. */
export type LaneName = "" | "stdout" | "stderr";

export interface AssemblerOptions {
  readonly encoding: TextEncoding;
  readonly multiline: Multiline;
  /** Of the first byte that will be pushed. */
  readonly offset: number;
  /** As far as the lanes are known; the others begin at `offset`. */
  readonly lanes: ReadonlyMap<LaneName, Lane>;
}

interface OpenLane {
  readonly name: LaneName;
  readonly lane: Lane;
  readonly joiner: RecordJoiner;
  partial: { texts: string[]; chars: number; start: number; end: number; time: string } | undefined;
}

/**
 * Makes records of a file's bytes: cuts lines, takes them out of a container runtime's wrapping,
 * joins partial lines and stack traces. Each lane has its own place, because the lines of stdout
 * and of stderr lie between each other.
 */
export class RecordAssembler {
  readonly #options: AssemblerOptions;
  readonly #cutter: LineCutter;
  readonly #lanes = new Map<LaneName, OpenLane>();

  constructor(options: AssemblerOptions) {
    this.#options = options;
    this.#cutter = new LineCutter(options);
    for (const [name, lane] of options.lanes) this.#add(name, lane);
  }

  get lanes(): ReadonlyMap<LaneName, Lane> {
    return new Map([...this.#lanes].map(([name, { lane }]) => [name, lane]));
  }

  get splitLines(): number {
    return this.#cutter.splitLines;
  }

  /** Where reading must begin again if what is held here is dropped. */
  get resumeOffset(): number {
    let offset = this.#cutter.start;
    for (const open of this.#lanes.values()) offset = Math.min(offset, openStart(open) ?? offset);
    return offset;
  }

  /** About how much memory is held for records that are not over. */
  get heldBytes(): number {
    let bytes = this.#cutter.pendingBytes;
    for (const { joiner, partial } of this.#lanes.values()) {
      bytes += joiner.openChars + (partial?.chars ?? 0);
    }
    return bytes;
  }

  /** A record is complete but for what may still follow it. */
  get hasOpenRecord(): boolean {
    return this.resumeOffset < this.#cutter.start;
  }

  push(chunk: Buffer): AssembledRecord[] {
    const records: AssembledRecord[] = [];
    for (const line of this.#cutter.push(chunk)) this.#take(line, records);
    return records;
  }

  /** Nothing followed for a while: ends the records that wait for more lines. */
  cut(): AssembledRecord[] {
    const records: AssembledRecord[] = [];
    for (const open of this.#lanes.values()) {
      this.#endPartial(open, records);
      this.#collect(open, records, (lines) => open.joiner.cut(lines));
    }
    return records;
  }

  /** The file has ended: also its last line, which has no end, is a line. */
  end(): AssembledRecord[] {
    const records: AssembledRecord[] = [];
    const last = this.#cutter.end();
    if (last !== undefined) this.#take(last, records);
    for (const open of this.#lanes.values()) {
      this.#endPartial(open, records);
      this.#collect(open, records, (lines) => open.joiner.end(lines));
    }
    return records;
  }

  /** Once all records were handed over: lanes that wait for nothing move on to here. */
  settle(): void {
    for (const open of this.#lanes.values()) {
      if (open.lane.isAcknowledged) open.lane.moveTo(openStart(open) ?? this.#cutter.start);
    }
  }

  #take(line: CutLine, records: AssembledRecord[]): void {
    const text = decodeText(line.bytes, this.#options.encoding);
    const { start, end, isPiece } = line;
    const inner = isPiece ? undefined : findContainerLine(text);
    const open = this.#lane(inner?.stream ?? "", start);
    if (start < open.lane.taken) return;
    if (inner === undefined) {
      this.#join(open, { text, start, end, isPiece }, records);
      return;
    }
    if (open.partial !== undefined && open.lane.hasBetween(open.partial.end, start)) {
      this.#endPartial(open, records);
    }
    const partial = open.partial ?? { texts: [], chars: 0, start, end, time: inner.time };
    partial.texts.push(inner.text);
    partial.chars += inner.text.length;
    partial.end = end;
    open.partial = partial;
    if (!inner.isPartial || partial.chars > LINE_BYTES_MAX) {
      this.#endPartial(open, records, inner.isPartial);
    }
  }

  #endPartial(open: OpenLane, records: AssembledRecord[], isPiece = false): void {
    const { partial } = open;
    if (partial === undefined) return;
    open.partial = undefined;
    const { texts, start, end, time } = partial;
    this.#join(open, { text: texts.join(""), start, end, time, isPiece }, records);
  }

  #join(open: OpenLane, line: TextLine, records: AssembledRecord[]): void {
    this.#collect(open, records, (lines) => open.joiner.push(line, lines));
  }

  #collect(open: OpenLane, records: AssembledRecord[], act: (lines: TextLine[]) => void): void {
    const lines: TextLine[] = [];
    act(lines);
    for (const line of lines) {
      open.lane.taken = line.end;
      records.push({ ...line, lane: open.lane, stream: open.name });
    }
  }

  #lane(name: LaneName, start: number): OpenLane {
    return this.#lanes.get(name) ?? this.#add(name, new Lane({ position: start, cuts: [] }));
  }

  #add(name: LaneName, lane: Lane): OpenLane {
    const joiner = new RecordJoiner(this.#options.multiline, lane);
    const open = { name, lane, joiner, partial: undefined };
    this.#lanes.set(name, open);
    return open;
  }
}

function openStart({ joiner, partial }: OpenLane): number | undefined {
  return joiner.openStart ?? partial?.start;
}
