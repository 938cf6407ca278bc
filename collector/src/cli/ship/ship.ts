import { ClewError } from "../../errors.ts";
import { trustCertificates } from "../../tls-files.ts";
import { safeLine } from "../safe-text.ts";
import type { Terminal } from "../terminal.ts";
import { wrongUsage } from "../usage-error.ts";
import { FileFollower, FOLLOWER_TIMES } from "./file-follower.ts";
import { openFile } from "./file-reader.ts";
import { findFiles } from "./find-files.ts";
import { FollowedFiles } from "./followed-files.ts";
import { Interruption } from "./interruption.ts";
import { LineSource } from "./line-source.ts";
import { PositionStore } from "./position-store.ts";
import { RecordShipper, type ShipperOptions } from "./record-shipper.ts";
import { readShipOptions, type ShipOptions, STDIN } from "./ship-options.ts";
import { StreamReader, stdinOrigin } from "./stream-reader.ts";

/** What came of it beside what the shipper counts. */
interface Outcome {
  readonly shipper: RecordShipper;
  readonly splitLines: number;
  /** Why not all was read or sent. */
  readonly fault: unknown;
  readonly isInterrupted: boolean;
}

interface Shipping {
  readonly options: ShipOptions;
  readonly terminal: Terminal;
  readonly interruption: Interruption;
  readonly note: (text: string) => void;
}

/** `clew ship [files…]`: exit code 0 once every line is acknowledged. */
export async function ship(args: readonly string[], terminal: Terminal): Promise<number> {
  const options = readShipOptions(args);
  trustCertificates(options.config.trusted);
  const interruption = new Interruption();
  const note = (text: string) => terminal.note(safeLine(text));
  const shipping = { options, terminal, interruption, note };
  try {
    const outcome = options.follow ? await follow(shipping) : await shipOnce(shipping);
    return report(outcome, shipping);
  } finally {
    interruption.end();
  }
}

async function shipOnce(shipping: Shipping): Promise<Outcome> {
  const { options, terminal, interruption } = shipping;
  const names = await findNames(shipping);
  const shipper = new RecordShipper(shipperOptions(shipping));
  const lines = lineSource(shipper, options);
  const signal = interruption.stops;
  const reader = new StreamReader({ lines, multiline: options.multiline, signal });
  let fault: unknown;
  try {
    for (const name of names) {
      if (signal.aborted) break;
      if (name === STDIN) await reader.read(terminal.stdin, stdinOrigin());
      else {
        const { stream, origin } = await openFile(name);
        await reader.read(stream, origin);
      }
    }
  } catch (error) {
    fault = error;
  }
  // Lines that were read before the fault are sent all the same.
  fault = (await faultOf(() => shipper.finish())) ?? fault;
  // Where stdin ends is for whoever types or pipes to say, by Ctrl-C too.
  const isInterrupted = signal.aborted;
  return { shipper, splitLines: reader.splitLines, fault, isInterrupted };
}

async function follow(shipping: Shipping): Promise<Outcome> {
  const { options, interruption, note } = shipping;
  const { givesUp, stops } = interruption;
  const positions = await PositionStore.open({ dir: options.stateDir, note, signal: givesUp });
  const stopping = new AbortController();
  const shipper = new RecordShipper({
    ...shipperOptions(shipping),
    beforeSend: () => positions.durable(),
    onAcknowledged: () => positions.change(),
    onFault: () => stopping.abort(),
  });
  const { patterns, exclude, multiline, fromEnd } = options;
  const { loaded } = positions;
  const now = Date.now;
  const files = new FollowedFiles({ patterns, exclude, multiline, fromEnd, loaded, note, now });
  const follower = new FileFollower({
    patterns,
    files,
    lines: lineSource(shipper, options),
    positions,
    note,
    now,
    signal: AbortSignal.any([stops, stopping.signal]),
    times: FOLLOWER_TIMES,
  });
  note(`following; positions are kept in ${options.stateDir}`);
  const unread = await faultOf(() => follower.run());
  const fault = (await faultOf(() => shipper.finish())) ?? unread;
  const isWhole = shipper.shipped.unsent === 0;
  const unsaved = await faultOf(() => positions.close(isWhole));
  return { shipper, splitLines: files.splitLines, fault: fault ?? unsaved, isInterrupted: false };
}

function report(outcome: Outcome, { options, terminal, note }: Shipping): number {
  const { shipper, splitLines, fault, isInterrupted } = outcome;
  const { shipped } = shipper;
  if (fault !== undefined) note(fault instanceof Error ? fault.message : String(fault));
  if (splitLines > 0) note(`${splitLines} lines were very long, and are sent as several records`);
  const rest = [
    ...(shipped.refused > 0 ? [`${shipped.refused} refused`] : []),
    ...(shipped.unsent > 0 ? [unsent(shipped.unsent, options)] : []),
    ...(isInterrupted ? ["interrupted before the end"] : []),
  ];
  const summary = { ...shipped, interrupted: isInterrupted };
  if (options.isJson) terminal.print(JSON.stringify(summary));
  else terminal.note([`${shipped.acknowledged} records acknowledged`, ...rest].join(", "));
  const isStream = options.patterns.every((name) => name === STDIN);
  const isWhole = shipped.refused === 0 && shipped.unsent === 0 && fault === undefined;
  return isWhole && (isStream || !isInterrupted) ? 0 : 1;
}

function unsent(count: number, { follow }: ShipOptions): string {
  const next = follow ? "the next start sends them" : "ship them again";
  return `${count} not acknowledged: ${next}`;
}

/** Every file is looked for before the first line is sent. */
async function findNames({ options, terminal }: Shipping): Promise<readonly string[]> {
  const { patterns, exclude } = options;
  if (patterns.length === 0) {
    const isTyped = "isTTY" in terminal.stdin && terminal.stdin.isTTY === true;
    if (isTyped) throw wrongUsage("ship", "there are no files, and stdin is a terminal");
    return [STDIN];
  }
  const names: string[] = [];
  for (const pattern of patterns) {
    if (pattern === STDIN) {
      names.push(STDIN);
      continue;
    }
    const { paths, unmatched } = await findFiles({ patterns: [pattern], exclude });
    if (unmatched.length > 0) {
      throw new ClewError("CONFIG_INVALID", `cannot read ${pattern}: there is no such file`);
    }
    names.push(...paths);
  }
  for (const name of names) if (name !== STDIN) await closeAgain(name);
  return names;
}

async function closeAgain(name: string): Promise<void> {
  const { stream } = await openFile(name);
  stream.destroy();
}

function shipperOptions({ options, interruption, note }: Shipping): ShipperOptions {
  return {
    otlpUrl: options.otlpUrl,
    token: options.config.ingestToken,
    service: options.service,
    note,
    signal: interruption.givesUp,
    random: Math.random,
  };
}

function lineSource(shipper: RecordShipper, { transactionKeys }: ShipOptions): LineSource {
  return new LineSource({ shipper, transactionKeys, now: Date.now });
}

async function faultOf(act: () => Promise<void>): Promise<unknown> {
  try {
    await act();
    return undefined;
  } catch (error) {
    return error ?? new Error("cannot go on");
  }
}
