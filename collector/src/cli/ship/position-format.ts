import type { FileMark } from "./file-mark.ts";
import type { LanePlace } from "./lane.ts";
import type { LaneName } from "./record-assembler.ts";

/** One file, as far as it was shipped. */
export interface KnownFile {
  /** Random: the first part of the uid of each of its records. */
  readonly id: string;
  readonly device: string;
  readonly inode: string;
  /** Where it was first seen; it may have another name now. */
  readonly path: string;
  readonly position: number;
  readonly lanes: Readonly<Partial<Record<LaneName, LanePlace>>>;
  /** What stood at its start, before `position`, and where reading had come to. */
  readonly marks: readonly FileMark[];
  /** Unix time; files that are long gone are forgotten. */
  readonly seenMs: number;
}

export interface Positions {
  /** The process that wrote it had nothing under way: no line can come a second time. */
  readonly isWhole: boolean;
  readonly files: readonly KnownFile[];
}

const VERSION = 1;
const LANE_NAMES: readonly LaneName[] = ["", "stdout", "stderr"];

/** One JSON object on each line: first what holds for all, then each file. */
export function formatPositions({ isWhole, files }: Positions): string {
  const head = JSON.stringify({ version: VERSION, isWhole });
  return `${[head, ...files.map(formatFile)].join("\n")}\n`;
}

export function formatFile(file: KnownFile): string {
  return JSON.stringify(file);
}

/** @throws Error saying what is wrong with the text. */
export function parsePositions(text: string): Positions {
  const [head, ...files] = text.split("\n").filter(Boolean).map(parseObject);
  if (head === undefined) throw new Error("it is empty");
  if (head.version !== VERSION) {
    throw new Error(`it is of version ${String(head.version)}, and this is ${VERSION}`);
  }
  return { isWhole: head.isWhole === true, files: files.map(parseFile) };
}

/**
 * Positions with what a journal adds. A line of it that cannot be read was cut off by a crash, so
 * that nothing can rest on it; one that is older than the positions takes nothing back.
 */
export function mergePositions({ isWhole, files }: Positions, journal: string): Positions {
  const byKey = new Map(files.map((file) => [keyOf(file), file]));
  for (const line of journal.split("\n")) {
    const added = findFile(line);
    if (added === undefined) continue;
    const key = keyOf(added);
    const before = byKey.get(key);
    byKey.set(key, before === undefined ? added : merge(before, added));
  }
  return { isWhole, files: [...byKey.values()] };
}

function keyOf({ id, device, inode }: KnownFile): string {
  return `${id} ${device} ${inode}`;
}

function findFile(line: string): KnownFile | undefined {
  if (line === "") return undefined;
  try {
    return parseFile(parseObject(line));
  } catch {
    // See above: only whole lines count.
    return undefined;
  }
}

function merge(before: KnownFile, added: KnownFile): KnownFile {
  const lanes: Partial<Record<LaneName, LanePlace>> = {};
  for (const name of LANE_NAMES) {
    const places = [before.lanes[name], added.lanes[name]].filter((place) => place !== undefined);
    if (places.length === 0) continue;
    const position = Math.max(...places.map((place) => place.position));
    const cuts = new Set(places.flatMap((place) => place.cuts).filter((cut) => cut > position));
    lanes[name] = { position, cuts: [...cuts].toSorted((a, b) => a - b) };
  }
  return { ...(added.position >= before.position ? added : before), lanes };
}

type Fields = Readonly<Record<string, unknown>>;

function parseFile(fields: Fields): KnownFile {
  const lanes: Partial<Record<LaneName, LanePlace>> = {};
  const given = isObject(fields.lanes) ? fields.lanes : {};
  for (const name of LANE_NAMES) {
    const lane = given[name];
    if (lane === undefined) continue;
    if (!isObject(lane)) throw new Error(`a lane of it is ${JSON.stringify(lane)}`);
    lanes[name] = { position: whole(lane.position), cuts: list(lane.cuts).map(whole) };
  }
  return {
    id: text(fields.id),
    device: text(fields.device),
    inode: text(fields.inode),
    path: text(fields.path),
    position: whole(fields.position),
    lanes,
    marks: list(fields.marks).map(parseMark),
    seenMs: whole(fields.seenMs),
  };
}

function parseMark(mark: unknown): FileMark {
  if (!isObject(mark)) throw new Error(`a mark of it is ${JSON.stringify(mark)}`);
  return { end: whole(mark.end), bytes: whole(mark.bytes), crc: whole(mark.crc) };
}

function parseObject(line: string): Fields {
  const value: unknown = JSON.parse(line);
  if (!isObject(value)) throw new Error(`a line of it is ${line.slice(0, 40)}`);
  return value;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`a list in it is ${JSON.stringify(value)}`);
  return value;
}

function text(value: unknown): string {
  if (typeof value !== "string" || value === "") {
    throw new Error(`a text in it is ${JSON.stringify(value)}`);
  }
  return value;
}

function whole(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new Error(`a number in it is ${JSON.stringify(value)}`);
  }
  return value;
}
