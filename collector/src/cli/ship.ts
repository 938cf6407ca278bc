import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { readClientConfig } from "../config.ts";
import { ClewError } from "../errors.ts";
import { readLine } from "../lines/line-record.ts";
import { LineSplitter } from "../lines/line-splitter.ts";
import { RecordShipper } from "./record-shipper.ts";
import { safeLine } from "./safe-text.ts";
import type { Terminal } from "./terminal.ts";
import { parseCommandLine, wrongUsage } from "./usage-error.ts";

const STDIN = "-";
const EXIT_INTERRUPTED = 130;
/** After Ctrl-C what was read is still sent, for so long at most. */
const DRAIN_MS_MAX = 10_000;
const NS_PER_MS = 1_000_000n;

/** `clew ship [files…]`: exit code 0 once every line is acknowledged. */
export async function ship(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseCommandLine({
    command: "ship",
    args,
    positionalsMax: Number.POSITIVE_INFINITY,
    options: {
      service: { type: "string" },
      "transaction-key": { type: "string" },
      "otlp-url": { type: "string" },
      json: { type: "boolean" },
    },
  });
  const config = readClientConfig();
  const files = await checkFiles(positionals, terminal);
  const interruption = new Interruption();
  const shipper = new RecordShipper({
    otlpUrl: checkUrl(values["otlp-url"] ?? config.otlpUrl),
    token: config.ingestToken,
    service: values.service || undefined,
    note: (text) => terminal.note(safeLine(text)),
    signal: interruption.givesUp,
    random: Math.random,
  });
  const key = values["transaction-key"];
  const transactionKeys = key ? [key, ...config.transactionKeys] : config.transactionKeys;
  const lines = new LineReader({ shipper, transactionKeys, signal: interruption.stops });
  const fault = await shipFiles({ files, lines, shipper, terminal });
  interruption.end();
  return report({ shipper, lines, fault, isJson: values.json === true, files }, terminal);
}

async function shipFiles(request: {
  files: readonly string[];
  lines: LineReader;
  shipper: RecordShipper;
  terminal: Terminal;
}): Promise<string | undefined> {
  const { files, lines, shipper, terminal } = request;
  let fault: unknown;
  try {
    for (const file of files) {
      if (file === STDIN) await lines.read(terminal.stdin, undefined);
      else await lines.read(createReadStream(file), file);
    }
  } catch (error) {
    fault = error;
  }
  // Lines that were read before the fault are sent all the same.
  try {
    await shipper.finish();
  } catch (error) {
    fault ??= error;
  }
  if (fault === undefined) return undefined;
  return fault instanceof Error ? fault.message : String(fault);
}

function report(
  outcome: {
    shipper: RecordShipper;
    lines: LineReader;
    fault: string | undefined;
    isJson: boolean;
    files: readonly string[];
  },
  terminal: Terminal,
): number {
  const { shipped } = outcome.shipper;
  const { lines, fault } = outcome;
  const isWhole = shipped.refused === 0 && shipped.unsent === 0 && fault === undefined;
  if (fault !== undefined) terminal.note(safeLine(fault));
  if (lines.splitLines > 0) {
    terminal.note(`${lines.splitLines} lines were very long, and are sent as several records`);
  }
  const rest = [
    ...(shipped.refused > 0 ? [`${shipped.refused} refused`] : []),
    ...(shipped.unsent > 0 ? [`${shipped.unsent} not acknowledged: ship them again`] : []),
    ...(lines.isInterrupted ? ["interrupted before the end"] : []),
  ];
  const summary = { ...shipped, interrupted: lines.isInterrupted };
  if (outcome.isJson) terminal.print(JSON.stringify(summary));
  else terminal.note([`${shipped.acknowledged} lines acknowledged`, ...rest].join(", "));
  const isStream = outcome.files.every((file) => file === STDIN);
  return isWhole && (isStream || !lines.isInterrupted) ? 0 : 1;
}

/** Reads streams line by line, and gives each line an id that it keeps however often it is sent. */
class LineReader {
  readonly #shipper: RecordShipper;
  readonly #transactionKeys: readonly string[];
  readonly #signal: AbortSignal;
  readonly #runId = randomBytes(16).toString("hex");
  #sequence = 0;
  splitLines = 0;

  constructor(parts: {
    shipper: RecordShipper;
    transactionKeys: readonly string[];
    signal: AbortSignal;
  }) {
    this.#shipper = parts.shipper;
    this.#transactionKeys = parts.transactionKeys;
    this.#signal = parts.signal;
  }

  get isInterrupted(): boolean {
    return this.#signal.aborted;
  }

  async read(stream: Readable, file: string | undefined): Promise<void> {
    const splitter = new LineSplitter();
    const stop = () => stream.destroy();
    this.#signal.addEventListener("abort", stop, { once: true });
    try {
      if (this.isInterrupted) return;
      for await (const chunk of stream) {
        for (const line of splitter.push(chunk as Buffer)) await this.#take(line, file);
      }
    } catch (error) {
      if (!this.isInterrupted) throw toReadError(error, file);
    } finally {
      this.#signal.removeEventListener("abort", stop);
    }
    for (const line of splitter.end()) await this.#take(line, file);
    this.splitLines += splitter.splitLines;
  }

  async #take(bytes: Buffer, file: string | undefined): Promise<void> {
    const line = bytes.toString("utf8").replace(/^\ufeff/, "");
    if (line.trim() === "") return;
    const record = {
      ...readLine(line, this.#transactionKeys),
      uid: `${this.#runId}-${++this.#sequence}`,
      observedNs: BigInt(Date.now()) * NS_PER_MS,
      file,
    };
    await this.#shipper.accept(record, line.length);
  }
}

/** Ctrl-C: the first stops reading and gives the rest a bounded time, the second ends at once. */
class Interruption {
  readonly #stops = new AbortController();
  readonly #givesUp = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    process.on("SIGINT", this.#interrupt);
    process.on("SIGTERM", this.#interrupt);
  }

  /** Aborts when no more is to be read. */
  get stops(): AbortSignal {
    return this.#stops.signal;
  }

  /** Aborts when no more is to be sent. */
  get givesUp(): AbortSignal {
    return this.#givesUp.signal;
  }

  end(): void {
    clearTimeout(this.#timer);
    process.removeListener("SIGINT", this.#interrupt);
    process.removeListener("SIGTERM", this.#interrupt);
  }

  readonly #interrupt = () => {
    if (this.#stops.signal.aborted) process.exit(EXIT_INTERRUPTED);
    this.#stops.abort();
    this.#timer = setTimeout(() => {
      this.#givesUp.abort(
        new Error("cannot ship the rest: interrupted while the collector is away"),
      );
    }, DRAIN_MS_MAX);
  };
}

/** Every file is looked at before the first line is sent. */
async function checkFiles(
  names: readonly string[],
  terminal: Terminal,
): Promise<readonly string[]> {
  if (names.length === 0) {
    const isTyped = "isTTY" in terminal.stdin && terminal.stdin.isTTY === true;
    if (isTyped) throw wrongUsage("ship", "there are no files, and stdin is a terminal");
    return [STDIN];
  }
  for (const name of names) {
    if (name === STDIN) continue;
    try {
      await access(name, constants.R_OK);
    } catch (error) {
      throw toReadError(error, name);
    }
    if ((await stat(name)).isDirectory()) throw toReadError(new Error("it is a folder"), name);
  }
  return names;
}

function checkUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === "http:" || url?.protocol === "https:") return text;
  throw wrongUsage("ship", `--otlp-url ${safeLine(text)} is no http or https URL`);
}

function toReadError(error: unknown, file: string | undefined): unknown {
  if (error instanceof ClewError || !(error instanceof Error)) return error;
  const code = "code" in error ? error.code : undefined;
  const reasons: Record<string, string> = {
    ENOENT: "there is no such file",
    EACCES: "this user may not read it",
  };
  const why = reasons[String(code)] ?? error.message;
  return new ClewError("CONFIG_INVALID", `cannot read ${file ?? "stdin"}: ${why}`, {
    cause: error,
  });
}
