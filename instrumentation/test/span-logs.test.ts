/** What a span counts of the log records that name it, and how the others are marked. */
import { expect, test } from "vitest";
import { type Observed, observe, spanNamed } from "./otel-observed.ts";

const MARK = "clew.log.after_span";

function logsOf(seen: Observed): Record<string, boolean> {
  return Object.fromEntries(
    seen.logs.map(({ body, attributes }) => [String(body), attributes[MARK] === true]),
  );
}

const MODES = [
  ["our own tracer", {}],
  ["the tracer of OpenTelemetry's SDK", { OTEL_PROPAGATORS: "tracecontext,baggage,b3" }],
] as const;

test.each(MODES)("with %s a span counts what is made while it is open", async (_, env) => {
  const seen = await observe({
    env,
    code: `
      await transaction.run("T-1", async () => {
        await tracer.startActiveSpan("work", async (span) => {
          console.log("in it");
          await new Promise(setImmediate);
          console.log("in it, later");
          span.end();
          console.log("after it");
          await new Promise(setImmediate);
          console.log("long after it");
        });
        tracer.startActiveSpan("quiet", (span) => span.end());
        console.log("under none");
      });`,
  });
  expect(seen.end).toMatchObject({ code: 0, stderr: "" });
  expect(logsOf(seen)).toEqual({
    ...{ "in it": false, "in it, later": false },
    ...{ "after it": true, "long after it": true, "under none": false },
  });
  const work = spanNamed(seen, "work");
  expect(work.attributes["clew.span.logs"]).toBe(2);
  expect(spanNamed(seen, "quiet").attributes["clew.span.logs"]).toBe(0);
  const under = seen.logs.filter((log) => log.spanId === work.spanId);
  expect(under).toHaveLength(4);
});

test.each(MODES)("with %s a span counts no record of another transaction", async (_, env) => {
  const seen = await observe({
    env,
    code: `
      transaction.run("T-1", () => tracer.startActiveSpan("work", (span) => {
        console.log("of T-1");
        transaction.run("T-2", () => console.log("of T-2"));
        span.end();
      }));
      tracer.startActiveSpan("in none", (span) => {
        console.log("in none");
        transaction.run("T-3", () => console.log("of T-3"));
        span.end();
      });`,
  });
  const marks = logsOf(seen);
  expect(marks).toMatchObject({ "of T-1": false, "of T-2": true, "in none": false });
  expect(spanNamed(seen, "work").attributes["clew.span.logs"]).toBe(1);
  const told = spanNamed(seen, "in none").attributes["clew.span.logs"];
  expect(told).toBe(marks["of T-3"] === true ? 1 : 2);
});

test("in a user's own SDK a record says likewise that its span had ended", async () => {
  const seen = await observe({
    args: ["--input-type=module"],
    env: {},
    code: `
      import { NodeSDK } from "@opentelemetry/sdk-node";
      import { SimpleSpanProcessor } from "@opentelemetry/sdk-trace";
      import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
      import { SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs";
      import { OTLPLogExporter } from "@opentelemetry/exporter-logs-otlp-proto";
      import { logs } from "@opentelemetry/api";
      import {
        TransactionLogRecordProcessor, TransactionSpanProcessor,
      } from "@clew/instrumentation";
      const sdk = new NodeSDK({
        autoDetectResources: false, metricReaders: [],
        spanProcessors: [new TransactionSpanProcessor(),
          new SimpleSpanProcessor({ exporter: new OTLPTraceExporter() })],
        logRecordProcessors: [new TransactionLogRecordProcessor(),
          new SimpleLogRecordProcessor({ exporter: new OTLPLogExporter() })],
      });
      sdk.start();
      const logger = logs.getLogger("own");
      transaction.run("T-1", () => trace.getTracer("own").startActiveSpan("mine", (span) => {
        logger.emit({ body: "in it" });
        transaction.run("T-2", () => logger.emit({ body: "of another" }));
        span.end();
        logger.emit({ body: "after it" });
      }));
      await sdk.shutdown();`,
  });
  expect(seen.end).toMatchObject({ code: 0, stderr: "" });
  expect(logsOf(seen)).toEqual({ "in it": false, "of another": true, "after it": true });
  expect(spanNamed(seen, "mine").attributes["clew.span.logs"]).toBe(1);
  // Nobody numbers its records: it is known that it is not known.
  expect(seen.logs[0]?.resource).not.toHaveProperty(["clew.run.id"]);
});
