/**
 * Reads what `strace -f -yy` saw of a collector, and tells which acknowledgements left before the
 * request's bytes were synced. Each request carries a marker of its own, which is seen in the write
 * to the bus's file; requests are sent one after the other, so the n-th 200 is for the n-th marker.
 *
 * Lines: `<pid> <call>(<arguments>) = <result>`, or in two where another thread was seen between:
 * `<pid> <call>(<arguments> <unfinished ...>` and `<pid> <... <call> resumed>…) = <result>`.
 */

export interface SyncOrderRequest {
  readonly trace: string;
  /** Folder of the bus's files. */
  readonly busFolder: string;
  readonly markers: readonly string[];
}

export interface SyncOrder {
  readonly acknowledged: number;
  /** One sentence per acknowledgement that came too early. */
  readonly violations: readonly string[];
}

interface Call {
  readonly name: string;
  readonly args: string;
}

const WHOLE = /^(\d+) +(\w+)\((.*)\) += (-?\d+|\?)/s;
const UNFINISHED = /^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$/s;
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+|\?)/s;
const WRITES = new Set(["write", "writev", "pwrite64", "pwritev", "pwritev2"]);
const SENDS = new Set(["write", "writev", "sendto", "sendmsg"]);
const SYNCS = new Set(["fdatasync", "fsync"]);

export function checkSyncOrder({ trace, busFolder, markers }: SyncOrderRequest): SyncOrder {
  const state = new SyncState(busFolder, markers);
  const underWay = new Map<string, Call>();
  for (const line of trace.split("\n")) {
    const [, beganIn, beganName, beganArgs] = UNFINISHED.exec(line) ?? [];
    if (beganIn !== undefined && beganName !== undefined && beganArgs !== undefined) {
      const call = { name: beganName, args: beganArgs };
      underWay.set(beganIn, call);
      state.began(beganIn, call);
      continue;
    }
    const [, resumedIn, , rest = "", resumedResult] = RESUMED.exec(line) ?? [];
    const begun = resumedIn === undefined ? undefined : underWay.get(resumedIn);
    if (resumedIn !== undefined && begun) {
      underWay.delete(resumedIn);
      const call = { name: begun.name, args: begun.args + rest };
      state.ended({ thread: resumedIn, call, result: Number(resumedResult) });
      continue;
    }
    const [, thread, name, args, result] = WHOLE.exec(line) ?? [];
    if (thread === undefined || name === undefined || args === undefined) continue;
    state.began(thread, { name, args });
    state.ended({ thread, call: { name, args }, result: Number(result) });
  }
  return { acknowledged: state.acknowledged, violations: state.violations };
}

class SyncState {
  readonly violations: string[] = [];
  acknowledged = 0;
  readonly #busFolder: string;
  readonly #markers: readonly string[];
  /** By file: markers written and not yet synced. */
  readonly #written = new Map<string, Set<string>>();
  /** By thread: what its sync under way will make durable. */
  readonly #syncing = new Map<string, readonly string[]>();
  readonly #synced = new Set<string>();

  constructor(busFolder: string, markers: readonly string[]) {
    this.#busFolder = busFolder;
    this.#markers = markers;
  }

  /** A sync covers what was written before it began; an answer is under way from here on. */
  began(thread: string, { name, args }: Call): void {
    if (SYNCS.has(name)) this.#syncing.set(thread, [...this.#writtenTo(fileOf(args))]);
    if (SENDS.has(name) && args.includes('"HTTP/1.1 200 ')) this.#acknowledge();
  }

  ended({ thread, call, result }: { thread: string; call: Call; result: number }): void {
    const file = fileOf(call.args);
    if (WRITES.has(call.name) && result > 0 && file.startsWith(`${this.#busFolder}/`)) {
      const seen = this.#markers.filter((marker) => call.args.includes(marker));
      for (const marker of seen) this.#writtenTo(file).add(marker);
    }
    if (!SYNCS.has(call.name)) return;
    const covered = this.#syncing.get(thread) ?? [];
    this.#syncing.delete(thread);
    if (result !== 0) return;
    for (const marker of covered) {
      this.#synced.add(marker);
      this.#writtenTo(file).delete(marker);
    }
  }

  #acknowledge(): void {
    const marker = this.#markers[this.acknowledged++];
    if (marker === undefined) this.violations.push("more answers than requests");
    else if (!this.#synced.has(marker)) this.violations.push(`${marker} was not synced before`);
  }

  #writtenTo(file: string): Set<string> {
    const known = this.#written.get(file);
    if (known) return known;
    const fresh = new Set<string>();
    this.#written.set(file, fresh);
    return fresh;
  }
}

/** The path strace shows for the first argument: `23</data/bus/0.segment>`. */
function fileOf(args: string): string {
  return /^\d+<([^>]*)>/.exec(args)?.[1] ?? "";
}
