/** The real OpenTelemetry Collector's Elasticsearch exporter against the `_bulk` door. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { ClewError } from "../../collector/src/errors.ts";
import { keptRecords, startDocuments } from "../../collector/test/documents-harness.ts";
import { logsRequest } from "../../collector/test/otlp-fixtures.ts";
import { send } from "../../collector/test/receiver-harness.ts";
import { freePorts } from "../backends/free-ports.ts";
import { OtelCollector, requireGo } from "../backends/otel-collector.ts";
import { RealCollector } from "./real-collector.ts";
import { shipperExample } from "./shipper-docs.ts";

const FIRST_BUILD_MS = 1_500_000;
const START_MS = 60_000;
const WAIT = { timeout: 30_000, interval: 100 };
const RECORDS = 2000;
const TIME_NS = 1_769_860_800_123_456_789n;
const TRACE = "0123456789abcdef0123456789abcdef";
const SPAN = "0123456789abcdef";

/** The example of the docs, with a receiver before it. */
function config(ports: { readonly otlp: number; readonly clew: number }, mapping: string): string {
  const example = shipperExample("# otel-collector.yaml", ports.clew);
  return `${example}
    mapping: {mode: ${mapping}}
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${ports.otlp}"}}}}
service: {pipelines: {logs: {receivers: [otlp], exporters: [elasticsearch]}}}
`;
}

function requestOf(id: string): Buffer {
  return logsRequest([
    {
      resource: { "service.name": "orders", "host.name": "node-7", "cloud.region": "eu" },
      scope: "app",
      records: Array.from({ length: RECORDS }, (_, number) => ({
        timeNs: TIME_NS,
        severityNumber: 18,
        severityText: "ERROR",
        body: `record ${number}`,
        traceId: TRACE,
        spanId: SPAN,
        attributes: { transaction_id: id, number },
      })),
    },
  ]);
}

async function startExporter(clew: number, mapping: string): Promise<number> {
  const [otlp = 0] = await freePorts(1);
  const exporter = new OtelCollector();
  onTestFinished(() => exporter.stop());
  await exporter.start(config({ otlp, clew }, mapping));
  return otlp;
}

const MODES = ["otel", "ecs", "none"];

describe.skipIf(!requireGo("_bulk from the OpenTelemetry Collector"))("its exporter", () => {
  let collector: RealCollector;
  beforeAll(async () => {
    collector = await RealCollector.start();
  }, START_MS);
  afterAll(async () => {
    await collector.stop();
  });

  test.each(MODES)(
    "ships every record in mapping mode %s",
    async (mapping) => {
      const port = await startExporter(Number(new URL(collector.otlpUrl).port), mapping);
      const id = `exported-${mapping}`;
      const answer = await send({ port, body: requestOf(id) });
      expect(answer.status).toBe(200);
      await vi.waitFor(async () => {
        expect((await collector.api.findTransaction(id))?.counts.logs).toBe(RECORDS);
      }, WAIT);
      const records = await collector.api.recordsOf(id);
      expect(new Set(records.map(({ message }) => message)).size).toBe(RECORDS);
      for (const record of records) {
        expect(record).toMatchObject({
          service: "orders",
          message: expect.stringMatching(/^record \d+$/),
          time: "2026-01-31T12:00:00.123456789Z",
          severityNumber: 18,
          severityText: "ERROR",
          traceId: TRACE,
          spanId: SPAN,
        });
        expect(record.resource["host.name"]).toBe("node-7");
      }
    },
    FIRST_BUILD_MS,
  );

  test(
    "loses nothing while the bus takes nothing",
    async () => {
      const clew = await startDocuments();
      onTestFinished(() => clew.receiver.stop());
      const refuse = vi.fn(() => Promise.reject(new ClewError("BUS_UNAVAILABLE", "cannot: away")));
      clew.bus.fault = refuse;
      const port = await startExporter(clew.port, "otel");
      expect((await send({ port, body: requestOf("held-back") })).status).toBe(200);
      await vi.waitFor(() => expect(refuse.mock.calls.length).toBeGreaterThan(1), WAIT);
      clew.bus.fault = async () => undefined;
      await vi.waitFor(() => {
        const texts = keptRecords(clew.bus).map(({ text }) => text);
        expect(new Set(texts).size).toBe(RECORDS);
      }, WAIT);
    },
    FIRST_BUILD_MS,
  );
});
