/**
 * What a commit says beside its offset, as text: `clew.repeat.before=<offset>`, decimal. Messages
 * before that offset may have been written by somebody, though the group is not there yet.
 */
import { KAFKA_COMMIT } from "../../wire-names.ts";
import type { DeliveredMessage } from "../bus.ts";
import { type RepeatBounds, RepeatWindow } from "../repeat-window.ts";
import type { GroupOffsets } from "./kafka-group-offsets.ts";

const OFFSET = /^\d{1,16}$/;

/**
 * The repeat window of each partition of a generation, where the store keeps no positions. A commit
 * that carries no word of ours was set by hand, to read again, and a group that committed nothing
 * may have been forgotten: then all that lies in the partition may be written already. That holds
 * until it is passed, also for whoever goes on in the midst, so each commit carries it on.
 */
export class KafkaRepeatWindows {
  readonly #bounds: RepeatBounds | undefined;
  readonly #windows = new Map<string, RepeatWindow>();

  /** @param bounds absent: the store keeps positions, nothing is bounded or marked */
  constructor(bounds: RepeatBounds | undefined) {
    this.#bounds = bounds;
  }

  get isOn(): boolean {
    return this.#bounds !== undefined;
  }

  /** Another generation begins. */
  clear(): void {
    this.#windows.clear();
  }

  /** @param next offset of the first message that is read */
  start(partition: string, { next, offsets }: { next: number; offsets: GroupOffsets }): void {
    if (this.#bounds === undefined) return;
    const doubtfulBefore = doubtfulOffset(offsets);
    const window = new RepeatWindow({ bounds: this.#bounds, start: next, doubtfulBefore });
    this.#windows.set(partition, window);
  }

  /**
   * The message as the reader gets it; undefined where a commit must be acknowledged first.
   * Called in the order of offsets.
   */
  handOut(message: DeliveredMessage): DeliveredMessage | undefined {
    const window = this.#windows.get(message.partition);
    if (window === undefined) return message;
    return window.admits(message) ? window.handOut(message) : undefined;
  }

  /** The broker has it that everything before `offset` is safe. */
  acknowledged(partition: string, offset: number): void {
    this.#windows.get(partition)?.acknowledged(offset);
  }

  /** What goes with a commit of the partition. */
  metadata(partition: string): string | null {
    const window = this.#windows.get(partition);
    return window ? `${KAFKA_COMMIT.repeatBefore}=${window.doubtfulBefore}` : null;
  }
}

function doubtfulOffset({ committed, end, metadata }: GroupOffsets): number {
  const [name, carried = ""] = metadata.split("=");
  const isOurs = name === KAFKA_COMMIT.repeatBefore && OFFSET.test(carried);
  return isOurs && committed !== undefined && committed <= end ? Number(carried) : end;
}
