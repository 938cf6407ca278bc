/** The examples of opentelemetry-proto, sent in each way and read back field by field. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { pythonVenv } from "../backends/python-venv.ts";
import { hasPrograms } from "../backends/required-programs.ts";
import { runProgram } from "../backends/run-program.ts";
import { readBackendsConfig } from "../config.ts";
import { exportOver, type Signal, type Told, type Way } from "./otlp-client.ts";
import { RealCollector } from "./real-collector.ts";

const EXAMPLES = join(import.meta.dirname, "otlp-examples");
const PYTHON_FOLDER = join(import.meta.dirname, "python");
const PYTHON = {
  command: ["python3", "-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"],
  toInstall: "python3 (3.10 or newer) and python3-venv",
} as const;
const INSTALL_MS = 420_000;
const ENCODE_MS = 30_000;
const INDEXED_MS = 20_000;
const ENCODERS: readonly Way[] = ["http/json", "http/protobuf", "grpc"];

/** Spans are read by their transaction, and the example names none. */
const TRANSACTION_ID = "of-the-example";
const TRACE_ID = "5b8efff798038103d269b633813fc60c";
const SPAN_ID = "eee19b7ec3c1b174";
const AROUND = {
  service: "my.service",
  resource: { "service.name": "my.service" },
  scope: "my.library",
  receivedAt: expect.any(String),
  id: expect.any(String),
  transactionId: null,
  isError: false,
};
const LOG = {
  ...AROUND,
  kind: "log",
  time: "2018-12-13T14:51:00.300000000Z",
  parentSpanId: null,
  span: null,
};

const STORED = {
  logs: {
    ...LOG,
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    severityNumber: 10,
    severityText: "Information",
    message: "Example log record",
    body: null,
    attributes: {
      "string.attribute": "some string",
      "boolean.attribute": true,
      "int.attribute": 10,
      "double.attribute": 637.704,
      "array.attribute": ["many", "values"],
      "map.attribute": { "some.map.key": "some value" },
    },
  },
  events: {
    ...LOG,
    traceId: null,
    spanId: null,
    severityNumber: 9,
    severityText: "test severity text",
    message: expect.stringContaining("Free Online GUID Generator"),
    body: {
      type: 0,
      url: "https://www.guidgenerator.com/online-guid-generator.aspx",
      referrer: "https://wwww.google.com",
      title: "Free Online GUID Generator",
    },
    attributes: {
      "event.attribute": "some event attribute",
      "event.name": "browser.page_view",
    },
  },
  trace: {
    ...AROUND,
    kind: "span",
    time: "2018-12-13T14:51:00.000000000Z",
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    parentSpanId: "eee19b7ec3c1b173",
    severityNumber: 0,
    severityText: "",
    message: "I'm a server span",
    body: null,
    transactionId: TRANSACTION_ID,
    attributes: { "my.span.attr": "some value", transaction_id: TRANSACTION_ID },
    span: {
      kind: "server",
      durationMs: 1000,
      status: "unset",
      statusMessage: "",
      events: [],
      links: [],
    },
  },
} as const;

let python: string;
let collector: RealCollector;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "clew-examples-"));
  collector = await RealCollector.start();
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await collector.stop();
});

describe.skipIf(!hasPrograms("the examples of opentelemetry-proto", [PYTHON]))(
  "the example",
  () => {
    beforeAll(async () => {
      const requirementsFile = join(PYTHON_FOLDER, "requirements.txt");
      python = await pythonVenv({ requirementsFile, cacheDir: readBackendsConfig().cacheDir });
    }, INSTALL_MS);

    describe.each(ENCODERS)("over %s", (way) => {
      test.each(["logs", "events"] as const)("%s.json is stored field by field", async (name) => {
        await sendExample({ way, signal: "logs", name });
        await vi.waitFor(async () => {
          expect(await collector.api.logs()).toEqual([STORED[name]]);
        }, INDEXED_MS);
      });

      test("trace.json is stored field by field", async () => {
        await sendExample({ way, signal: "traces", name: "trace" });
        await vi.waitFor(async () => {
          expect(await collector.api.findTransaction(TRANSACTION_ID)).toBeDefined();
        }, INDEXED_MS);
        expect(await collector.api.recordsOf(TRANSACTION_ID)).toEqual([STORED.trace]);
      });

      test("metrics.json: each of its four points is counted", async () => {
        const told = await sendExample({ way, signal: "metrics", name: "metrics" });
        expect(told.answer.partialSuccess?.rejected).toBe(4);
      });
    });
  },
);

interface Example {
  readonly way: Way;
  readonly signal: Signal;
  readonly name: string;
}

async function sendExample(example: Example): Promise<Told> {
  const { way, signal } = example;
  const told = await exportOver(collector, { way, signal, body: await encode(example) });
  expect(told.status).toBe(way === "grpc" ? 0 : 200);
  return told;
}

/** The file as it is, or as protobuf by OpenTelemetry's own package for Python. */
async function encode({ way, signal, name }: Example): Promise<Buffer> {
  let file = join(EXAMPLES, `${name}.json`);
  if (signal === "traces") {
    const text = readFileSync(file, "utf8");
    file = join(folder, "trace.json");
    const named = `{ "key": "transaction_id", "value": { "stringValue": "${TRANSACTION_ID}" } }`;
    writeFileSync(file, text.replace(/(?<="my\.span\.attr",[^}]+\}\s*\})/, `, ${named}`));
  }
  if (way === "http/json") return readFileSync(file);
  const args = [join(PYTHON_FOLDER, "encode_example.py"), signal, file];
  const { stdout } = await runProgram({ program: python, args, deadlineMs: ENCODE_MS });
  return Buffer.from(stdout, "base64");
}
