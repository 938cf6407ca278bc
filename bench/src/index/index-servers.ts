/** What indexes: Clew's own indexing role, and the OpenTelemetry Collector in two ways. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { OtelCollector } from "../../../stack/backends/otel-collector.ts";
import { CollectorProcess, PROGRAM } from "../collector-process.ts";
import { collectorEnvironment, distributedSettings } from "../config.ts";
import { OUR_TOPIC } from "../receive/bench-topics.ts";
import { otelIndexingConfig } from "./otel-indexing-config.ts";

export const CLEW = "clew";
export const PEER = "otel collector, default";
export const PEER_CAREFUL = "otel collector, queue off";
export const SUBJECTS = [CLEW, PEER, PEER_CAREFUL] as const;
export type Subject = (typeof SUBJECTS)[number];

export interface IndexServer {
  readonly pid: number;
  /** What it complained of so far, where it can be told. */
  output(): Promise<string>;
  stop(): Promise<void>;
}

export interface IndexServerOrder {
  readonly brokers: readonly string[];
  readonly elasticsearchUrl: string;
  /** Of its own, so that it begins with the first message; our own group is fixed. */
  readonly peerGroupId: string;
  readonly dataDir: string;
  /** Options of our runtime, as `--cpu-prof`. */
  readonly nodeArgs: readonly string[];
}

const SETUP_DEADLINE_MS = 60_000;
const runFile = promisify(execFile);

/** Reads the topic from its first message on, at once. */
export function startIndexServer(subject: Subject, order: IndexServerOrder): Promise<IndexServer> {
  return subject === CLEW ? startClew(order) : startPeer(subject, order);
}

/** `clew setup`, as a person runs it before the first start. */
export async function setUpClew(order: {
  readonly brokers: readonly string[];
  readonly elasticsearchUrl: string;
  readonly dataDir: string;
}): Promise<void> {
  const settings = distributedSettings({ ...order, roles: "index" });
  await runFile(process.execPath, [PROGRAM, "setup", "--json"], {
    env: { ...collectorEnvironment(order.dataDir), ...settings },
    timeout: SETUP_DEADLINE_MS,
  });
}

async function startClew(order: IndexServerOrder): Promise<IndexServer> {
  await setUpClew(order);
  const { dataDir, nodeArgs } = order;
  const settings = distributedSettings({ ...order, roles: "index" });
  const collector = await CollectorProcess.start(dataDir, { nodeArgs, settings });
  return { pid: collector.pid, output: async () => "", stop: () => collector.stop() };
}

async function startPeer(subject: Subject, order: IndexServerOrder): Promise<IndexServer> {
  const { brokers, elasticsearchUrl, peerGroupId: groupId } = order;
  const hasQueue = subject === PEER;
  const collector = new OtelCollector();
  await collector.start(
    otelIndexingConfig({ brokers, topic: OUR_TOPIC, groupId, elasticsearchUrl, hasQueue }),
  );
  return {
    pid: collector.pid,
    output: () => collector.output(),
    stop: () => collector.stop(),
  };
}
