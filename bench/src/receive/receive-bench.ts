/**
 * The receiver against the OpenTelemetry Collector: the same load, the same real broker,
 * `acks=all`. Nothing is pinned: load, broker and server share the processors, as where the budgets
 * come from.
 */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { KafkaBroker } from "../../../stack/backends/kafka-broker.ts";
import { KAFKA_FOLDER } from "../../../stack/backends/kafka-jars.ts";
import { OTEL_COLLECTOR_VERSION } from "../../../stack/backends/otel-collector-program.ts";
import type { BenchReport } from "../bench-report.ts";
import { subjectEnvironment } from "../config.ts";
import type { BenchOptions } from "../embedded-bench.ts";
import { BenchProcess } from "../instrumentation/bench-process.ts";
import { describeMachine, describeVersions } from "../machine.ts";
import { makeTopics } from "./bench-topics.ts";
import { receiveRatios } from "./receive-budgets.ts";
import { ReceiveFindings } from "./receive-findings.ts";
import {
  FULL,
  OVERLOAD_CONNECTIONS,
  OVERLOAD_FACTOR,
  type ReceivePlan,
  SHORT,
} from "./receive-plan.ts";
import { type ReceiveServer, SUBJECTS, startServer, TOPIC_OF } from "./receive-servers.ts";
import { RoundTurns } from "./round-turns.ts";

const NOTE = [
  "Load, broker and servers share the processors; one warm server at a time is loaded, in turns.",
  "CPU is that of the server's process until it rests, with all it does after its answers; `clew`",
  "is its receiving part (doors, intake, Kafka bus) without indexer and store. With its queue off",
  "the OpenTelemetry Collector's 200 means what ours means: acknowledged by Kafka. With its",
  "default queue it means: in memory. Large requests come over 8 connections, small ones over 64,",
  `each of which waits for its answer; at overload ${OVERLOAD_FACTOR} times of what a server bore`,
  `a moment before comes by the clock, over at most ${OVERLOAD_CONNECTIONS} connections. A ratio`,
  "is the middle one of the rounds' own ratios.",
].join("\n");
const PEER_TOPICS = SUBJECTS.slice(1).map((subject) => TOPIC_OF[subject]);

/** Takes a quarter of an hour; the short plan three minutes. */
export async function benchReceive(
  options: BenchOptions,
  plan: ReceivePlan = options.isShort ? SHORT : FULL,
): Promise<BenchReport> {
  await mkdir(options.workDir, { recursive: true });
  const findings = new ReceiveFindings();
  for (let round = 0; round < plan.rounds; round++) {
    await measureRound({ options, plan, findings, round });
    options.say(`round ${round + 1} of ${plan.rounds} is measured`);
  }
  return {
    note: NOTE,
    machine: describeMachine(),
    versions: {
      ...describeVersions(),
      "otel collector": OTEL_COLLECTOR_VERSION,
      kafka: await kafkaVersion(),
    },
    rows: findings.rows(),
    ratios: receiveRatios(findings),
  };
}

export async function kafkaVersion(): Promise<string> {
  const pom = await readFile(join(KAFKA_FOLDER, "pom.xml"), "utf8");
  const pinned = /<kafka\.version>([^<]+)</.exec(pom)?.[1];
  return pinned ?? "unknown";
}

interface Round {
  readonly options: BenchOptions;
  readonly plan: ReceivePlan;
  readonly findings: ReceiveFindings;
  readonly round: number;
}

/** A broker, servers and a load of its own, so that a round says nothing of the one before. */
async function measureRound(of: Round): Promise<void> {
  const { options, round } = of;
  const dir = await mkdtemp(join(options.workDir, "receive-"));
  const kafka = new KafkaBroker();
  const load = new BenchProcess({
    program: join(import.meta.dirname, "load-process.ts"),
    env: subjectEnvironment({ collectorUrl: "", spoolDir: "" }),
    processor: undefined,
  });
  const servers: ReceiveServer[] = [];
  try {
    await load.ask("isRunning");
    await kafka.start();
    await makeTopics(kafka.brokers, PEER_TOPICS);
    const { nodeArgs } = options;
    for (const subject of SUBJECTS) {
      const order = { brokers: kafka.brokers, dataDir: join(dir, "data"), nodeArgs };
      servers.push(await startServer(subject, order));
    }
    const { plan, findings } = of;
    const { say } = options;
    const turns = new RoundTurns({ plan, findings, say, load, servers: rotated(servers, round) });
    await turns.run();
    await turns.addTotals(kafka.brokers);
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await load.kill();
    await kafka.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Each round begins with another, so that none always comes first. */
export function rotated<T>(list: readonly T[], round: number): readonly T[] {
  const at = round % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
