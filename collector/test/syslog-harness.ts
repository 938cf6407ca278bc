/** Syslog on a free port before a bus in memory, and bare senders to try it with. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { MessageDecoder } from "../src/indexer/message-decoder.ts";
import { TransactionKeys } from "../src/indexer/transaction-keys.ts";
import { jsonText } from "../src/lines/json-value.ts";
import { createRegistry, type MetricRegistry } from "../src/metrics.ts";
import { Intake } from "../src/receive/intake.ts";
import {
  SyslogReceiver,
  type SyslogReceiverOptions,
} from "../src/receive/syslog/syslog-receiver.ts";
import type { IncomingRecord } from "../src/record.ts";
import { decodeRequest } from "./otlp-decoder.ts";
import { MemoryBus, NOW_NS } from "./receiver-harness.ts";

const MIB = 1024 * 1024;
const DATAGRAMS_PER_TURN = 100;
const RECORDS_MAX = 10_000;
const TRANSACTION_KEYS = ["transaction_id", "clew.transaction.id"];

export interface StartedSyslog {
  readonly syslog: SyslogReceiver;
  readonly bus: MemoryBus;
  readonly port: number;
  readonly registry: MetricRegistry;
  /** Lines that it said. */
  readonly said: readonly string[];
}

export async function startSyslog(
  changes: Partial<SyslogReceiverOptions["config"]> = {},
  { publishTimeoutMs = 1000 } = {},
): Promise<StartedSyslog> {
  const bus = new MemoryBus();
  const registry = createRegistry();
  const said: string[] = [];
  const config = {
    host: "127.0.0.1",
    tls: undefined,
    syslogPort: 0,
    syslogNetworks: ["loopback"],
    transactionKeys: TRANSACTION_KEYS,
    maxInFlightBytes: 128 * MIB,
    ...changes,
  };
  const nowNs = () => NOW_NS;
  const intake = new Intake({ config, bus, registry, nowNs, publishTimeoutMs });
  const report = (line: string) => void said.push(line);
  const syslog = new SyslogReceiver({ config, intake, registry, nowNs, report });
  const { port } = await syslog.start();
  return { syslog, bus, port, registry, said };
}

/** What the bus holds as the store would have it, a record that came again included. */
export function keptIn(bus: MemoryBus): readonly IncomingRecord[] {
  const decoder = new MessageDecoder(new TransactionKeys(TRANSACTION_KEYS));
  return bus.messages.flatMap((message, offset) => {
    const delivered = { ...message, partition: "memory/0", offset };
    return [...decoder.decode(delivered, RECORDS_MAX)].flat();
  });
}

interface DecodedLogs {
  readonly resourceLogs: readonly {
    readonly scopeLogs: readonly {
      readonly logRecords: readonly { readonly body: { readonly stringValue: string } }[];
    }[];
  }[];
}

/** The messages of all records, whole, in no order. */
export function bodiesIn(bus: MemoryBus): readonly string[] {
  return bus.messages
    .map(({ value }): DecodedLogs => JSON.parse(jsonText(decodeRequest("logs", value))))
    .flatMap(({ resourceLogs }) => resourceLogs)
    .flatMap(({ scopeLogs }) => scopeLogs)
    .flatMap(({ logRecords }) => logRecords.map(({ body }) => body.stringValue));
}

export async function openTcp(port: number, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host });
  await once(socket, "connect");
  return socket;
}

/** Sends all of it, and ends; resolves once the other side has closed as well. */
export async function sendTcp(port: number, bytes: string | Uint8Array): Promise<void> {
  const socket = await openTcp(port);
  const closed = once(socket, "close");
  socket.resume();
  socket.end(bytes);
  await closed;
}

export async function sendUdp(port: number, datagrams: readonly (string | Buffer)[]) {
  const socket = createSocket("udp4");
  for (const [index, datagram] of datagrams.entries()) {
    // The receiver lives in the same process, and must have its turn.
    if (index % DATAGRAMS_PER_TURN === 0) {
      const turn = Promise.withResolvers<void>();
      setImmediate(turn.resolve);
      await turn.promise;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.send(datagram, port, "127.0.0.1", (error) => (error ? reject(error) : resolve()));
    await promise;
  }
  socket.close();
}

/** The figures of one metric, by their labels. */
export async function metricOf(registry: MetricRegistry, name: string) {
  const metric = await registry.getSingleMetric(name)?.get();
  const entries = metric?.values.map(({ labels, value }) => [Object.values(labels).join(), value]);
  return Object.fromEntries((entries ?? []).filter(([, value]) => value !== 0));
}
