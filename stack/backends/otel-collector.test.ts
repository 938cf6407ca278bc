import { describe, expect, onTestFinished, test, vi } from "vitest";
import { freePorts } from "./free-ports.ts";
import { OtelCollector, requireGo } from "./otel-collector.ts";

const FIRST_BUILD_MS = 1_500_000;

function debugConfig(port: number | undefined): string {
  return `
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${port}"}}}}
exporters: {debug: {verbosity: detailed}}
service:
  telemetry: {logs: {level: info}}
  pipelines: {logs: {receivers: [otlp], exporters: [debug]}}
`;
}

describe.skipIf(!requireGo("the real OpenTelemetry Collector"))("the real Collector", () => {
  test(
    "takes what is sent to it, and ends when it is told",
    async () => {
      const collector = new OtelCollector();
      onTestFinished(() => collector.stop());
      const [port] = await freePorts(1);
      await collector.start(debugConfig(port));
      const { pid } = collector;
      const logRecords = [{ body: { stringValue: "through the real one" } }];
      const answer = await fetch(`http://127.0.0.1:${port}/v1/logs`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }),
      });
      expect(answer.status).toBe(200);
      await vi.waitFor(async () => {
        expect(await collector.output()).toContain("Str(through the real one)");
      });
      await collector.stop();
      expect(() => process.kill(pid, 0)).toThrow("ESRCH");
      expect(() => collector.pid).toThrow("it does not run");
    },
    FIRST_BUILD_MS,
  );

  test(
    "says in the Collector's own words why it cannot start",
    async () => {
      const collector = new OtelCollector();
      const nonsense = debugConfig(1).replace("exporters: [debug]", "exporters: [nowhere]");
      await expect(collector.start(nonsense)).rejects.toThrow(
        /cannot run the OpenTelemetry Collector: it ended: .*"nowhere"/s,
      );
    },
    FIRST_BUILD_MS,
  );
});

test("stop is safe before start, and twice", async () => {
  const collector = new OtelCollector();
  await collector.stop();
  await collector.stop();
});
