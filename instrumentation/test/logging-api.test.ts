import { afterEach, beforeEach, expect, test } from "vitest";
import { runApp } from "./app-process.ts";
import { OtlpSink } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

const PRELUDE = `
  import { context, logs, trace } from "@opentelemetry/api";
  import { transaction } from "@clew/instrumentation";
  const logger = logs.getLogger("my-lib", "1.2.3");
`;

test("the logs API: severity, body, attributes, exception, event and time", async () => {
  await runApp({
    endpoint,
    code: `${PRELUDE}
      transaction.run("T-1", () => {
        logger.emit({ severityNumber: 13, severityText: "careful", body: "one",
          attributes: { a: [1] } });
        logger.emit({ severityNumber: 10, body: { deep: true },
          timestamp: new Date(1_600_000_000_000) });
        logger.emit({ exception: new TypeError("bad"), eventName: "it.happened" });
      });
      logger.emit({});
      logger.emit({ body: new Proxy({}, { ownKeys() { throw new Error("trap"); } }),
        attributes: { get bad() { throw new Error("getter"); }, good: 1 } });`,
  });
  expect(sink.logs).toMatchObject([
    { severity: 13, severityText: "careful", body: "one", scope: "my-lib" },
    {
      severity: 10,
      severityText: "INFO2",
      body: { deep: true },
      timeNs: 1_600_000_000_000_000_000n,
    },
    { severity: 0, body: null },
    { severity: 0, body: null },
    { body: "[unreadable]" },
  ]);
  expect(sink.logs[0]?.attributes).toMatchObject({ a: [1], "clew.transaction.id": "T-1" });
  expect(sink.logs[2]?.attributes).toMatchObject({
    ...{ "exception.type": "TypeError", "exception.message": "bad", "event.name": "it.happened" },
  });
  expect(sink.logs[4]?.attributes).toMatchObject({ bad: "[unreadable]", good: 1 });
});

test("a record belongs to the context it is given, else to the running one", async () => {
  await runApp({
    endpoint,
    code: `${PRELUDE}
      const span = trace.getTracer("t").startSpan("s");
      const within = trace.setSpan(context.active(), span);
      logger.emit({ body: "given", context: within });
      context.with(within, () => logger.emit({ body: "running" }));
      logger.emit({ body: "none" });
      span.end();`,
  });
  const spanId = sink.spans[0]?.spanId;
  expect(sink.logs.map((log) => log.spanId)).toEqual([spanId, spanId, ""]);
  expect(sink.spans[0]?.attributes["clew.span.logs"]).toBe(2);
});

test("older copies of api-logs reach us, bridges of loggers we hear ourselves do not", async () => {
  const { stderr } = await runApp({
    endpoint,
    code: `${PRELUDE}
      const find = globalThis[Symbol.for("io.opentelemetry.js.api.logs")];
      find(1).getLogger("old-lib").emit({ severityNumber: 9, body: "old" });
      find(2).getLogger("future-lib").emit({ body: "of an unknown agreement" });
      const bridges = ["winston-transport", "instrumentation-bunyan", "instrumentation-pino"];
      for (const bridge of bridges) {
        const own = find(1).getLogger("@opentelemetry/" + bridge);
        if (!own.enabled()) own.emit({ body: "second record" });
      }`,
  });
  expect(stderr).toBe("");
  expect(sink.logs).toMatchObject([{ scope: "old-lib", body: "old", severityText: "INFO" }]);
});

test("a provider that somebody else registered first stays", async () => {
  const other = `
    const { logs } = require("@opentelemetry/api");
    globalThis[Symbol.for("io.opentelemetry.js.api.logs")] = () => "theirs";
    const emit = (record) => process.stdout.write("theirs: " + record.body + "\\n");
    logs.setGlobalLoggerProvider({ getLogger: () => ({ emit, enabled: () => true }) });`;
  const { stdout } = await runApp({
    endpoint,
    args: ["--input-type=commonjs"],
    code: `${other} require("@clew/instrumentation/register");
      logs.getLogger("x").emit({ body: "mine" });
      process.stdout.write(globalThis[Symbol.for("io.opentelemetry.js.api.logs")]() + "\\n");
      console.log("and the console");`,
  });
  expect(stdout).toBe("theirs: mine\ntheirs\nand the console\n");
  expect(sink.logs.map((log) => log.body)).toEqual(["and the console"]);
});
