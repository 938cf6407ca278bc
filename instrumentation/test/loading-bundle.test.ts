import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { build, type Format } from "esbuild";
import { afterEach, beforeEach, expect, test } from "vitest";
import { OtlpSink } from "./otlp-sink.ts";

const run = promisify(execFile);
const MODULES = resolve(import.meta.dirname, "../../node_modules");
const REGISTER = "@clew/instrumentation/register";
const CORRELATION = "@clew/instrumentation/correlation";
const KIND_PRODUCER = 4;

let sink: OtlpSink;
let folder: string;

beforeEach(async () => {
  sink = new OtlpSink();
  await sink.start();
  folder = await mkdtemp(join(tmpdir(), "clew-bundle-"));
  await symlink(MODULES, join(folder, "node_modules"));
});
afterEach(async () => {
  await sink.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Everything that is patched as it is loaded elsewhere; inside a bundle it is wrapped. */
const SERVICE = `
  import bunyan from "bunyan";
  import { Kafka, logLevel } from "kafkajs";
  import pino from "pino";
  import winston from "winston";
  import {
    instrumentBunyan, instrumentKafka, instrumentWinston, instrumentationStats, transaction,
  } from "@clew/instrumentation";
  instrumentWinston(winston);
  instrumentBunyan(bunyan);
  const settings = { brokers: ["127.0.0.1:1"], logLevel: logLevel.NOTHING };
  const producer = instrumentKafka(new Kafka(settings)).producer();
  const message = { topic: "orders", messages: [{ value: "one" }] };
  transaction.run("T-1", async () => {
    pino({ base: null }).info("pino");
    winston.createLogger({ transports: [new winston.transports.Console()] }).info("winston");
    bunyan.createLogger({ name: "b" }).info("bunyan");
    const failed = await producer.send(message).then(() => "nothing", (error) => error.message);
    process.stdout.write(JSON.stringify({ failed, id: transaction.id() }) + "\\n");
    process.stdout.write(JSON.stringify({ faults: instrumentationStats().faults }) + "\\n");
  });
`;

/** CommonJS inside an ES module requires Node's modules, which esbuild leaves to its users. */
const REQUIRE =
  'import { createRequire as requireOf } from "node:module";' +
  "const require = requireOf(import.meta.url);";

async function bundle(code: string, format: Format, external: readonly string[]): Promise<string> {
  const outfile = join(folder, format === "esm" ? "app.mjs" : "app.cjs");
  await build({
    stdin: { contents: code, resolveDir: folder },
    ...{ bundle: true, platform: "node", format, outfile, logLevel: "silent" },
    external: ["dtrace-provider", "mv", "safe-json-stringify", "source-map-support", ...external],
    ...(format === "esm" ? { banner: { js: REQUIRE } } : {}),
  });
  return outfile;
}

async function node(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, [...args], {
    cwd: folder,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sink.port}`,
      CLEW_METRICS_PORT: "off",
      CLEW_SPOOL_DIR: join(folder, "spool"),
    },
  });
}

test.each<readonly [string, Format, string, readonly string[], readonly string[]]>([
  ["an ES module with register in it", "esm", `import "${REGISTER}";${SERVICE}`, [], []],
  ["CommonJS with register in it", "cjs", `import "${REGISTER}";${SERVICE}`, [], []],
  ["an ES module, register outside and the API in it", "esm", SERVICE, [], ["--import", REGISTER]],
  ["CommonJS, register outside and the API in it", "cjs", SERVICE, [], ["--import", REGISTER]],
  [
    ...(["an ES module, our package outside", "esm", SERVICE] as const),
    ...[["@clew/instrumentation"], ["--import", REGISTER]],
  ] as const,
  [
    ...(["CommonJS, our package outside", "cjs", SERVICE] as const),
    ...[["@clew/instrumentation"], ["--import", REGISTER]],
  ] as const,
])("a bundle made by esbuild, %s: every line and message, once", async (...row) => {
  const [, format, code, external, args] = row;
  const { stdout, stderr } = await node([...args, await bundle(code, format, external)]);
  expect(stderr).toBe("");
  const printed = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(printed.filter((line) => line.transaction_id === "T-1")).toHaveLength(3);
  expect(printed).toContainEqual({ failed: "The producer is disconnected", id: "T-1" });
  expect(printed).toContainEqual({ faults: {} });
  const logs = sink.logs.filter(({ attributes }) => attributes["event.name"] === undefined);
  expect(logs.map(({ body }) => body).toSorted()).toEqual(["bunyan", "pino", "winston"]);
  expect(sink.spans.filter(({ kind }) => kind === KIND_PRODUCER)).toHaveLength(1);
});

test.each<Format>(["esm", "cjs"])(
  "IDs only, bundled as %s: in, out and in the line",
  async (format) => {
    const code = `
    import "${CORRELATION}";
    import http from "node:http";
    import pino from "pino";
    const server = http.createServer((req, res) => {
      pino({ base: null }).info("inside");
      res.end(req.headers["x-transaction-id"]);
    });
    server.listen(0, "127.0.0.1", async () => {
      const url = "http://127.0.0.1:" + server.address().port;
      const answer = await fetch(url);
      const [told, echoed] = [await answer.text(), answer.headers.get("x-transaction-id")];
      console.log(JSON.stringify({ told, echoed }));
      server.close();
      server.closeAllConnections();
    });`;
    const { stdout, stderr } = await node([await bundle(code, format, [])]);
    expect(stderr).toBe("");
    const [line = {}, result = {}] = stdout
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text));
    expect(result.told).toMatch(/^[0-9a-f-]{36}$/);
    expect([result.echoed, line.transaction_id]).toEqual([result.told, result.told]);
  },
);
