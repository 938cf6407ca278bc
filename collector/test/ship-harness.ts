/** `clew ship --follow` in this process, against a real receiver with a bus in memory. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ATTRIBUTE } from "@clew/instrumentation/names";
import { expect, vi } from "vitest";
import type { OutgoingMessage } from "../src/bus/bus.ts";
import { FileFollower } from "../src/cli/ship/file-follower.ts";
import { FollowedFiles } from "../src/cli/ship/followed-files.ts";
import { LineSource } from "../src/cli/ship/line-source.ts";
import { PositionStore } from "../src/cli/ship/position-store.ts";
import type { Multiline } from "../src/cli/ship/record-joiner.ts";
import { RecordShipper, type Shipped } from "../src/cli/ship/record-shipper.ts";
import { SHIPPED } from "../src/wire-names.ts";
import { decodeRequest } from "./otlp-decoder.ts";
import { type ReceiverConfig, type RunningReceiver, startReceiver } from "./receiver-harness.ts";

export const WAIT = { timeout: 15_000, interval: 10 };
/** Short, so that no test waits for long; no test rests on how long they are. */
const TIMES = { pollMs: 40, openRecordMs: 60, movedMs: 10_000, deletedMs: 150 };

export interface ReceivedLine {
  readonly text: string;
  readonly uid: string;
  readonly file: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** The request said that it may have been sent before. */
  readonly isRepeat: boolean;
}

interface Pair {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface DecodedLogs {
  readonly resourceLogs: readonly {
    readonly scopeLogs: readonly {
      readonly logRecords: readonly {
        readonly body: { readonly stringValue: string };
        readonly attributes: readonly Pair[];
      }[];
    }[];
  }[];
}

export interface FollowOptions {
  readonly patterns: readonly string[];
  readonly exclude?: readonly string[];
  readonly multiline?: Multiline;
  readonly fromEnd?: boolean;
  readonly token?: string;
}

/** Texts of lines: `line 0`, `line 1`, … */
export function numbered(count: number, word = "line"): string[] {
  return Array.from({ length: count }, (_, index) => `${word} ${index}`);
}

export function asText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** A folder for logs and one for positions, and what reached the receiver. */
export class ShipBench {
  readonly folder = mkdtempSync(join(tmpdir(), "clew-ship-follow-"));
  readonly logs = join(this.folder, "logs");
  readonly notes: string[] = [];
  readonly #receiver: RunningReceiver;
  #state = join(this.folder, "state");
  #following: Following | undefined;
  readonly #received: ReceivedLine[] = [];
  #decodedMessages = 0;

  static async start(config: Partial<ReceiverConfig> = {}): Promise<ShipBench> {
    return new ShipBench(await startReceiver(config));
  }

  private constructor(receiver: RunningReceiver) {
    this.#receiver = receiver;
    mkdirSync(this.logs);
  }

  get bus() {
    return this.#receiver.bus;
  }

  get state(): string {
    return this.#state;
  }

  path(name: string): string {
    return join(this.logs, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  append(name: string, text: string): void {
    appendFileSync(this.path(name), text);
  }

  rename(from: string, to: string): void {
    renameSync(this.path(from), this.path(to));
  }

  async follow(options: FollowOptions): Promise<Following> {
    const port = this.#receiver.port;
    const note = (text: string) => this.notes.push(text);
    this.#following = await Following.start({ ...options, port, note, state: this.#state });
    return this.#following;
  }

  /** Resolves once the first look at the files is over, and remembered. */
  async isRemembered(): Promise<void> {
    await vi.waitFor(() => expect(existsSync(join(this.#state, "positions"))).toBe(true), WAIT);
  }

  /** As `kill -9` leaves things: the next start sees the positions of this moment, and no more. */
  async crash(following: Following): Promise<void> {
    const copy = `${this.#state}-after`;
    cpSync(this.#state, copy, { recursive: true });
    await following.stop();
    this.#state = copy;
  }

  /** The same of one whose collector is away: it would wait for that to the end. */
  async crashAway(following: Following): Promise<void> {
    const copy = `${this.#state}-after`;
    cpSync(this.#state, copy, { recursive: true });
    await following.giveUp();
    this.#state = copy;
  }

  get received(): readonly ReceivedLine[] {
    for (const message of this.bus.messages.slice(this.#decodedMessages)) {
      this.#received.push(...linesIn(message));
    }
    this.#decodedMessages = this.bus.messages.length;
    return this.#received;
  }

  /** What a store would hold: each uid once, as it came first. */
  get stored(): readonly string[] {
    const byUid = new Map<string, string>();
    for (const { uid, text } of this.received) if (!byUid.has(uid)) byUid.set(uid, text);
    return [...byUid.values()];
  }

  /** Waits until exactly these records are stored, in whatever order. */
  async stores(...texts: readonly string[]): Promise<void> {
    const want = texts.toSorted();
    await vi.waitFor(() => expect(this.stored.toSorted()).toEqual(want), WAIT);
  }

  async notesInclude(text: string): Promise<void> {
    await vi.waitFor(() => expect(this.notes.join("\n")).toContain(text), WAIT);
  }

  async stop(): Promise<void> {
    await this.#following?.stop();
    await this.#receiver.receiver.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function linesIn({ value, headers }: OutgoingMessage): readonly ReceivedLine[] {
  const { resourceLogs } = decodeRequest("logs", value) as object as DecodedLogs;
  const records = resourceLogs.flatMap((group) => group.scopeLogs.flatMap((it) => it.logRecords));
  return records.map(({ body, attributes }) => {
    const named = Object.fromEntries(
      attributes.map(({ key, value: { stringValue = "" } }) => [key, stringValue]),
    );
    return {
      text: body.stringValue,
      uid: named[ATTRIBUTE.recordUid] ?? "",
      file: named[SHIPPED.logFilePath] ?? "",
      attributes: named,
      isRepeat: headers.repeat,
    };
  });
}

/** One start of the follower. */
export class Following {
  readonly #stopping = new AbortController();
  readonly #shipper: RecordShipper;
  readonly #positions: PositionStore;
  readonly #run: Promise<void>;
  #stopped: Promise<void> | undefined;

  readonly #givingUp: AbortController;

  static async start(
    options: FollowOptions & { port: number; state: string; note: (text: string) => void },
  ): Promise<Following> {
    const givingUp = new AbortController();
    const { state: dir, note } = options;
    const positions = await PositionStore.open({ dir, note, signal: givingUp.signal });
    return new Following(options, positions, givingUp);
  }

  private constructor(
    options: FollowOptions & { port: number; note: (text: string) => void },
    positions: PositionStore,
    givingUp: AbortController,
  ) {
    this.#givingUp = givingUp;
    const { patterns, exclude = [], multiline = "auto", fromEnd = false, note } = options;
    const now = Date.now;
    this.#positions = positions;
    this.#shipper = new RecordShipper({
      otlpUrl: `http://127.0.0.1:${options.port}`,
      token: options.token,
      service: "ship-test",
      note,
      signal: givingUp.signal,
      random: () => 0,
      beforeSend: () => positions.durable(),
      onAcknowledged: () => positions.change(),
      onFault: () => this.#stopping.abort(),
    });
    const { loaded } = positions;
    this.#run = new FileFollower({
      patterns,
      files: new FollowedFiles({ patterns, exclude, multiline, fromEnd, loaded, note, now }),
      lines: new LineSource({ shipper: this.#shipper, transactionKeys: [], now }),
      positions,
      note,
      now,
      signal: this.#stopping.signal,
      times: TIMES,
    }).run();
  }

  get shipped(): Shipped {
    return this.#shipper.shipped;
  }

  /** Rejects with why it ended by itself. */
  get ended(): Promise<void> {
    return this.#run.then(() => this.#shipper.finish());
  }

  giveUp(): Promise<void> {
    this.#givingUp.abort(new Error("given up"));
    return this.stop();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    this.#stopping.abort();
    const outcome = await this.ended.then(
      () => true,
      () => false,
    );
    await this.#positions.close(outcome && this.shipped.unsent === 0);
  }
}
