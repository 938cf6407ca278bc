import { join } from "node:path";
import { freePorts } from "../../../stack/backends/free-ports.ts";
import { OtelCollector } from "../../../stack/backends/otel-collector.ts";
import { CollectorProcess } from "../collector-process.ts";
import { kafkaSettings } from "../config.ts";
import { OUR_TOPIC } from "./bench-topics.ts";
import { otelCollectorConfig } from "./otel-collector-config.ts";

export const CLEW = "clew";
export const PEER = "otel collector, queue off";
export const PEER_QUEUE = "otel collector, default queue";
export const SUBJECTS = [CLEW, PEER, PEER_QUEUE] as const;
export type Subject = (typeof SUBJECTS)[number];

/** Where each writes to. */
export const TOPIC_OF: Readonly<Record<Subject, string>> = {
  [CLEW]: OUR_TOPIC,
  [PEER]: "peer.logs",
  [PEER_QUEUE]: "peer-queue.logs",
};

const PROGRAM = join(import.meta.dirname, "receive-only.ts");
const PROBE = join(import.meta.dirname, "loop-delay-probe.ts");

/** One server of a round. */
export interface ReceiveServer {
  readonly subject: Subject;
  readonly pid: number;
  readonly ports: { readonly http: number; readonly grpc: number };
  /** Its event loop's delay since the last question; undefined where it has none. */
  loopDelayP99Ms(): Promise<number | undefined>;
  stop(): Promise<void>;
}

export interface ServerOrder {
  readonly brokers: readonly string[];
  readonly dataDir: string;
  /** Options of our runtime, as `--cpu-prof`. */
  readonly nodeArgs: readonly string[];
}

export function startServer(subject: Subject, order: ServerOrder): Promise<ReceiveServer> {
  return subject === CLEW ? startClew(order) : startPeer(subject, order);
}

async function startClew({ brokers, dataDir, nodeArgs }: ServerOrder): Promise<ReceiveServer> {
  const collector = await CollectorProcess.start(dataDir, {
    nodeArgs: [...nodeArgs, "--import", PROBE],
    program: PROGRAM,
    settings: kafkaSettings(brokers),
  });
  const { otlpUrl, otlpGrpcPort } = collector.addresses;
  return {
    subject: CLEW,
    pid: collector.pid,
    ports: { http: Number(new URL(otlpUrl).port), grpc: otlpGrpcPort },
    loopDelayP99Ms: () => collector.ask<number>("loopDelay"),
    stop: () => collector.stop(),
  };
}

async function startPeer(subject: Subject, { brokers }: ServerOrder): Promise<ReceiveServer> {
  const collector = new OtelCollector();
  const [http, grpc] = (await freePorts(2)) as readonly [number, number];
  await collector.start(
    otelCollectorConfig({
      httpPort: http,
      grpcPort: grpc,
      brokers,
      topic: TOPIC_OF[subject],
      hasQueue: subject === PEER_QUEUE,
    }),
  );
  return {
    subject,
    pid: collector.pid,
    ports: { http, grpc },
    loopDelayP99Ms: async () => undefined,
    stop: () => collector.stop(),
  };
}
