/**
 * Either side of the Kafka topics can be the OpenTelemetry Collector's: its Kafka exporter feeds
 * our indexer, and its Kafka receiver reads what our receiver published.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { tracesRequest } from "../../collector/test/otlp-fixtures.ts";
import { freePorts } from "../backends/free-ports.ts";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { OtelCollector, requireGo } from "../backends/otel-collector.ts";
import { otelCollectorProgram } from "../backends/otel-collector-program.ts";
import { requireJava } from "../backends/required-programs.ts";
import { readBackendsConfig } from "../config.ts";
import { IndexingBus, logsOf, textsOf } from "./kafka-indexing-bus.ts";
import { exportOver, type Signal } from "./otlp-client.ts";
import type { RealCollector } from "./real-collector.ts";

const FIRST_START_MS = 1_500_000;
const TEST_MS = 120_000;
const ARRIVED_MS = 60_000;
const REQUESTS = 20;
const EACH = 25;
const EXAMPLES = { logs: "logs", traces: "trace", metrics: "metrics" } as const;
const SIGNALS = Object.keys(EXAMPLES) as readonly Signal[];

const ran = "the wire between Clew and the OpenTelemetry Collector";
describe.skipIf(!requireJava(ran) || !requireGo(ran))("through a real Kafka", () => {
  const broker = new KafkaBroker();
  const toStop: { stop(): Promise<void> }[] = [];
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "clew-wire-"));
    await Promise.all([broker.start(), otelCollectorProgram(readBackendsConfig().cacheDir)]);
  }, FIRST_START_MS);
  afterEach(async () => {
    for (const running of toStop.splice(0).toReversed()) await running.stop();
  }, TEST_MS);
  afterAll(async () => {
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startTheirs(yaml: string): Promise<void> {
    const theirs = new OtelCollector();
    toStop.push(theirs);
    await theirs.start(yaml);
  }

  async function startOurs(bus: IndexingBus): Promise<RealCollector> {
    await bus.createTopics(2);
    const ours = await bus.startCollector();
    toStop.push(ours);
    return ours;
  }

  test.each(["none", "gzip", "zstd"])(
    "its Kafka exporter, compression %s, feeds our indexer",
    { timeout: TEST_MS },
    async (compression) => {
      const bus = new IndexingBus(broker.brokers);
      const ours = await startOurs(bus);
      const [port] = (await freePorts(1)) as readonly [number];
      await startTheirs(exporterYaml({ brokers: broker.brokers, bus, port, compression }));
      const urls = { otlpUrl: `http://127.0.0.1:${port}`, otlpGrpcUrl: "" };

      const id = `theirs-${compression}`;
      const texts = await sendLogs(urls, id);
      const spans = await sendSpans(urls, id);
      await vi.waitFor(async () => {
        const found = await textsOf(ours, id);
        expect(found.toSorted()).toEqual([...texts, ...spans].toSorted());
      }, ARRIVED_MS);

      // The same request by both ways makes the same record, but for its id and time of receipt.
      const body = example("logs");
      await exportOver(urls, { way: "http/json", signal: "logs", body });
      await exportOver(ours, { way: "http/json", signal: "logs", body });
      const [first, second] = await vi.waitFor(async () => {
        const logs = await ours.api.logs();
        const both = logs.filter(({ message }) => message === "Example log record");
        expect(both).toHaveLength(2);
        return both;
      }, ARRIVED_MS);
      const ownOfEach = { id: expect.any(String), receivedAt: expect.any(String) };
      expect(first).toEqual({ ...second, ...ownOfEach });
    },
  );

  test.each(["snappy", "lz4"])(
    "what its exporter compressed with %s waits in the topic, and /readyz says why",
    { timeout: TEST_MS },
    async (compression) => {
      const bus = new IndexingBus(broker.brokers);
      const ours = await startOurs(bus);
      const [port] = (await freePorts(1)) as readonly [number];
      await startTheirs(exporterYaml({ brokers: broker.brokers, bus, port, compression }));
      await sendLogs({ otlpUrl: `http://127.0.0.1:${port}`, otlpGrpcUrl: "" }, compression);
      await vi.waitFor(async () => {
        const response = await fetch(`${ours.queryUrl}/readyz`);
        expect(response.status).toBe(503);
        expect((await response.text()).toLowerCase()).toContain(compression);
      }, ARRIVED_MS);
      expect((await bus.offsets()).committed).toBe(0);
    },
  );

  test("its Kafka receiver reads what we published", { timeout: TEST_MS }, async () => {
    const bus = new IndexingBus(broker.brokers);
    const ours = await startOurs(bus);
    const file = join(folder, "received.json");
    await startTheirs(receiverYaml({ brokers: broker.brokers, bus, file }));

    const texts = await sendLogs(ours, "ours");
    for (const signal of SIGNALS) {
      const told = await exportOver(ours, { way: "http/json", signal, body: example(signal) });
      expect(told).toMatchObject({ status: 200, answer: {} });
    }

    await vi.waitFor(() => {
      const received = readReceived(file);
      for (const signal of SIGNALS) {
        expect(received).toContainEqual(normal(JSON.parse(example(signal).toString())));
      }
      const bodies = JSON.stringify(received).match(/ours \d+-\d+/g) ?? [];
      expect(bodies.toSorted()).toEqual(texts.toSorted());
    }, ARRIVED_MS);
  });
});

interface Wire {
  readonly brokers: readonly string[];
  readonly bus: IndexingBus;
}

/** All its defaults, but that it waits for Kafka's acknowledgement, as ours does. */
function exporterYaml(wire: Wire & { port: number; compression: string }): string {
  const { brokers, bus, port, compression } = wire;
  return `receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}
exporters:
  kafka:
    brokers: ${JSON.stringify(brokers)}
    logs: {topic: "${bus.prefix}.logs", encoding: otlp_proto}
    traces: {topic: "${bus.prefix}.traces", encoding: otlp_proto}
    producer: {required_acks: -1, compression: ${compression}}
    sending_queue: {enabled: false}
service:
  pipelines:
    logs: {receivers: [otlp], exporters: [kafka]}
    traces: {receivers: [otlp], exporters: [kafka]}
`;
}

function receiverYaml({ brokers, bus, file }: Wire & { file: string }): string {
  const topics = SIGNALS.map(
    (signal) => `    ${signal}: {topics: ["${bus.prefix}.${signal}"], encoding: otlp_proto}\n`,
  );
  const pipelines = SIGNALS.map(
    (signal) => `    ${signal}: {receivers: [kafka], exporters: [file]}\n`,
  );
  return `receivers:
  kafka:
    brokers: ${JSON.stringify(brokers)}
    group_id: ${bus.prefix}-theirs
    initial_offset: earliest
${topics.join("")}exporters:
  file: {path: ${JSON.stringify(file)}, flush_interval: 100ms}
service:
  pipelines:
${pipelines.join("")}`;
}

/** @returns the texts of the logs. */
async function sendLogs(
  urls: { otlpUrl: string; otlpGrpcUrl: string },
  id: string,
): Promise<readonly string[]> {
  const requests = Array.from({ length: REQUESTS }, (_, request) =>
    Array.from({ length: EACH }, (_, i) => `${id} ${request}-${i}`),
  );
  for (const texts of requests) {
    const body = logsOf(id, texts);
    const told = await exportOver(urls, { way: "http/protobuf", signal: "logs", body });
    expect(told.status).toBe(200);
  }
  return requests.flat();
}

/** @returns the names of the spans. */
async function sendSpans(
  urls: { otlpUrl: string; otlpGrpcUrl: string },
  id: string,
): Promise<readonly string[]> {
  const spans = Array.from({ length: EACH }, (_, i) => ({
    traceId: Buffer.from(id.padEnd(16)).toString("hex").slice(0, 32),
    spanId: String(i + 1).padStart(16, "0"),
    name: `span ${i}`,
    startNs: 1_700_000_000_000_000_000n,
    endNs: 1_700_000_000_000_000_001n,
    attributes: { transaction_id: id },
  }));
  const body = tracesRequest([{ resource: { "service.name": "orders" }, spans }]);
  const told = await exportOver(urls, { way: "http/protobuf", signal: "traces", body });
  expect(told.status).toBe(200);
  return spans.map(({ name }) => name);
}

function example(signal: Signal): Buffer {
  const path = join(import.meta.dirname, "otlp-examples", `${EXAMPLES[signal]}.json`);
  return readFileSync(path);
}

/** Lines of OTLP/JSON; the last may be half written. */
function readReceived(file: string): readonly unknown[] {
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => normal(JSON.parse(line)));
}

/** Ids in lower case, and nothing of what proto3's JSON mapping may leave out. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, child]) => {
      const isId = key.endsWith("Id") && typeof child === "string";
      return [key, isId ? child.toLowerCase() : normal(child)] as const;
    })
    .filter(([, child]) => !["", 0, "0"].includes(child as string) && !isEmpty(child));
  return Object.fromEntries(entries);
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
