/** One subject of `bus-choice` in a process of its own: prints what publishing cost as one line. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { EmbeddedBus } from "../../collector/src/bus/embedded-bus.ts";
import { quantile } from "./bench-report.ts";
import { processMemory } from "./process-figures.ts";
import { SqliteQueue } from "./sqlite-queue.ts";

export const BUS_SUBJECTS = ["embedded bus", "SQLite queue"] as const;
export type BusSubject = (typeof BUS_SUBJECTS)[number];

export interface PublishTask {
  readonly subject: BusSubject;
  readonly dir: string;
  readonly valueBytes: number;
  readonly messages: number;
}

export interface PublishFigures {
  readonly messagesPerSecond: number;
  readonly cpuMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly peakMiB: number;
}

const PUBLISHERS = 8;
const WARM_UP_MESSAGES = 50;
const IN_FLIGHT_BYTES_MAX = 64 * 1024 * 1024;

interface Publisher {
  publish(value: Uint8Array): Promise<unknown>;
  stop(): Promise<void>;
}

/** Several publishers, each waiting until its message is durable before it sends the next. */
export async function measurePublishing(task: PublishTask): Promise<PublishFigures> {
  const publisher = await openPublisher(task);
  const value = randomBytes(task.valueBytes);
  const answerMs: number[] = [];
  await publishAll({ publisher, value, messages: WARM_UP_MESSAGES, answerMs: [] });
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  await publishAll({ publisher, value, messages: task.messages, answerMs });
  const seconds = (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  await publisher.stop();
  answerMs.sort((a, b) => a - b);
  return {
    messagesPerSecond: task.messages / seconds,
    cpuMs: (user + system) / 1000 / task.messages,
    p50Ms: quantile(answerMs, 0.5),
    p99Ms: quantile(answerMs, 0.99),
    peakMiB: processMemory(process.pid).peakMiB,
  };
}

async function publishAll(run: {
  readonly publisher: Publisher;
  readonly value: Uint8Array;
  readonly messages: number;
  readonly answerMs: number[];
}): Promise<void> {
  let left = run.messages;
  const publishInTurn = async () => {
    while (left-- > 0) {
      const startedMs = performance.now();
      await run.publisher.publish(run.value);
      run.answerMs.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: PUBLISHERS }, publishInTurn));
}

async function openPublisher({ subject, dir }: PublishTask): Promise<Publisher> {
  if (subject === "SQLite queue") return SqliteQueue.open(join(dir, "queue.sqlite"));
  const nowNs = () => BigInt(Date.now()) * 1_000_000n;
  const bus = await EmbeddedBus.open({ dir, maxInFlightBytes: IN_FLIGHT_BYTES_MAX, nowNs });
  let published = 0;
  return {
    publish(value) {
      const requestId = `bench-${published++}`;
      const headers = { requestId, part: 0, records: 1, receivedNs: nowNs(), repeat: false };
      return bus.publish({ topic: "logs", headers, value });
    },
    stop: () => bus.stop(),
  };
}

if (import.meta.main) {
  const task = JSON.parse(process.argv[2] ?? "") as PublishTask;
  console.log(JSON.stringify(await measurePublishing(task)));
}
