/** Debian's log daemons, with the settings of docs/shippers.md, against the `_bulk` door. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ClewError } from "../../collector/src/errors.ts";
import { keptRecords, startDocuments } from "../../collector/test/documents-harness.ts";
import { type DebianServer, requireDebian } from "../backends/debian-server.ts";
import { startRsyslog } from "../backends/rsyslog.ts";
import { startSyslogNg } from "../backends/syslog-ng.ts";
import type { ReadRecord } from "./query-api.ts";
import { RealCollector } from "./real-collector.ts";
import { shipperExample } from "./shipper-docs.ts";

const TEST_MS = 300_000;
const WAIT = { timeout: 60_000, interval: 100 };
const LINES = 300;
const KEY = "transaction_id";

interface Daemon {
  readonly name: string;
  /** @param folder for what it keeps on disk */
  start(port: number, folder: string): Promise<DebianServer>;
}

const DAEMONS: readonly Daemon[] = [
  {
    name: "rsyslog",
    start: (port) => startRsyslog(shipperExample("# /etc/rsyslog.d/clew.conf", port)),
  },
  {
    name: "syslog-ng",
    start: (port, folder) => {
      const example = shipperExample("# /etc/syslog-ng/conf.d/clew.conf", port);
      return startSyslogNg(example.replace("/var/lib/syslog-ng", folder));
    },
  },
];

/** Syslog lines of one transaction, numbered from `first`. */
function linesOf(id: string, { first = 0, count = LINES } = {}): readonly string[] {
  return Array.from(
    { length: count },
    (_, i) =>
      `<11>1 2026-01-31T12:00:00.123456Z web1 cart 77 - - Grüße "${first + i}" ${KEY}=${id}`,
  );
}

function numbersOf(messages: readonly string[]): readonly number[] {
  return messages.map((message) => Number(/"(\d+)"/.exec(message)?.[1])).toSorted((a, b) => a - b);
}

const NUMBERS = (count: number) => Array.from({ length: count }, (_, i) => i);

describe.skipIf(!requireDebian("_bulk from real daemons")).each(DAEMONS)("$name", (daemon) => {
  let running: DebianServer | undefined;
  let collector: RealCollector;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "clew-bulk-"));
    collector = await RealCollector.start();
  });
  afterEach(async () => {
    await running?.stop();
    await collector.stop();
    await rm(folder, { recursive: true });
  });

  async function start(port: number): Promise<DebianServer> {
    running = await daemon.start(port, folder);
    return running;
  }

  async function recordsOf(id: string, count: number): Promise<readonly ReadRecord[]> {
    await vi.waitFor(async () => {
      expect((await collector.api.findTransaction(id))?.counts.logs).toBe(count);
    }, WAIT);
    return collector.api.recordsOf(id);
  }

  test(
    "ships every line, with what it knows of it",
    async () => {
      const server = await start(Number(new URL(collector.otlpUrl).port));
      await server.send(linesOf("shipped"));
      const records = await recordsOf("shipped", LINES);
      expect(numbersOf(records.map(({ message }) => message))).toEqual(NUMBERS(LINES));
      for (const record of records) {
        expect(record.service).toBe("cart");
        expect(record.message).toContain("Grüße");
        expect(record.resource["host.name"]).toBe("web1");
      }
    },
    TEST_MS,
  );

  test(
    "loses nothing while the collector is away, and stores nothing twice",
    async () => {
      const server = await start(Number(new URL(collector.otlpUrl).port));
      await server.send(linesOf("away", { count: 100 }));
      await recordsOf("away", 100);
      await collector.halt();
      await server.send(linesOf("away", { first: 100, count: LINES - 100 }));
      await collector.resume();
      const records = await recordsOf("away", LINES);
      expect(numbersOf(records.map(({ message }) => message))).toEqual(NUMBERS(LINES));
    },
    TEST_MS,
  );

  test(
    "loses nothing while the bus takes nothing",
    async () => {
      const { receiver, bus, port } = await startDocuments();
      const refuse = vi.fn(() => Promise.reject(new ClewError("BUS_UNAVAILABLE", "cannot: away")));
      bus.fault = refuse;
      const server = await start(port);
      await server.send(linesOf("refused"));
      await vi.waitFor(() => expect(refuse.mock.calls.length).toBeGreaterThan(1), WAIT);
      bus.fault = async () => undefined;
      await vi.waitFor(() => {
        const byId = new Map(keptRecords(bus).map(({ id, text }) => [id, text]));
        expect(numbersOf([...byId.values()])).toEqual(NUMBERS(LINES));
      }, WAIT);
      await receiver.stop();
    },
    TEST_MS,
  );
});
