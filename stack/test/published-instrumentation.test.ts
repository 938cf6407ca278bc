import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { OtlpSink } from "../../instrumentation/test/otlp-sink.ts";
import { oldestNode } from "../backends/oldest-node.ts";
import { readBackendsConfig } from "../config.ts";
import { type InstalledPackage, installPackage } from "./installed-package.ts";

const run = promisify(execFile);
const INSTALL_DEADLINE_MS = 300_000;
const LIBRARIES = ["pino", "winston", "bunyan", "undici"];

/** A service and its own client: everything that is patched or listened to is met once. */
const SERVICE = `
  const server = http.createServer((req, res) => {
    if (req.url === "/inner") return res.end(JSON.stringify(req.headers));
    pino({ base: null }).info("by pino");
    winston.createLogger({ transports: [new winston.transports.Console()] }).info("by winston");
    bunyan.createLogger({ name: "b" }).info("by bunyan");
    console.log("by console");
    fetch("http://127.0.0.1:" + server.address().port + "/inner")
      .then((inner) => inner.text()).then((headers) => res.end(headers));
  });
  server.listen(0, "127.0.0.1", () => {
    const headers = { "x-transaction-id": "T-1" };
    const to = { port: server.address().port, headers, agent: false };
    let [body, echoed] = ["", ""];
    const request = http.get(to, (res) => {
      echoed = res.headers["x-transaction-id"];
      res.on("data", (chunk) => { body += chunk; });
    });
    request.on("close", () => setImmediate(() => {
      const { faults } = instrumentationStats();
      const told = JSON.parse(body)["x-transaction-id"];
      const result = { echoed, told, faults, inside: transaction.id() };
      process.stdout.write(JSON.stringify({ result }) + "\\n");
      console.error("the last line");
      process.exit(3);
    }));
  });
`;
const AS_MODULE = `
  import http from "node:http";
  import pino from "pino";
  import winston from "winston";
  import bunyan from "bunyan";
  import { instrumentationStats, transaction } from "@clew/instrumentation";
  ${SERVICE}`;
const AS_COMMON_JS = `
  const http = require("node:http");
  const pino = require("pino");
  const winston = require("winston");
  const bunyan = require("bunyan");
  const { instrumentationStats, transaction } = require("@clew/instrumentation");
  ${SERVICE}`;
const REGISTER = "@clew/instrumentation/register";
/** File name, its code, Node's arguments. */
const WAYS: readonly (readonly [string, string, string, readonly string[]])[] = [
  ["node --import, an ES module", "imported.mjs", AS_MODULE, ["--import", REGISTER]],
  ["node --import, CommonJS", "imported.cjs", AS_COMMON_JS, ["--import", REGISTER]],
  ["node --require, CommonJS", "required.cjs", AS_COMMON_JS, ["--require", REGISTER]],
  ["its first line, an ES module", "first.mjs", `import "${REGISTER}";\n${AS_MODULE}`, []],
  ["its first line, CommonJS", "first.cjs", `require("${REGISTER}");\n${AS_COMMON_JS}`, []],
];

let installed: InstalledPackage;
let oldest: string;
let sink: OtlpSink;

beforeAll(async () => {
  oldest = await oldestNode(readBackendsConfig().cacheDir);
  installed = await installPackage("instrumentation", LIBRARIES);
}, INSTALL_DEADLINE_MS);
afterAll(() => installed.remove());
beforeEach(async () => {
  sink = new OtlpSink();
  await sink.start();
});
afterEach(() => sink.stop());

const NODES = [
  ["the oldest Node that is promised", () => oldest],
  ["the Node of this repository", () => process.execPath],
] as const;

test.each(NODES.flatMap(([name, node]) => WAYS.map((way) => [name, way[0], node, way] as const)))(
  "on %s, started by %s, every ID arrives, also at process.exit",
  async (_name, _way, node, [, file, code, args]) => {
    await writeFile(join(installed.project, file), code);
    const end = await run(node(), [...args, file], {
      cwd: installed.project,
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sink.port}`,
        CLEW_METRICS_PORT: "0",
        CLEW_SPOOL_DIR: await mkdtemp(join(installed.project, "spool-")),
      },
    }).catch((error: { code: number; stdout: string; stderr: string }) => error);
    expect(end).toMatchObject({ code: 3 });
    const lines = end.stdout.trim().split("\n");
    const printed = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
    const result = printed.find((line) => "result" in line)?.result;
    expect(result).toEqual({ echoed: "T-1", told: "T-1", faults: {} });
    expect(printed.filter((line) => line.transaction_id === "T-1")).toHaveLength(3);
    const logs = sink.logs.filter((log) => log.attributes["event.name"] === undefined);
    expect(logs.map((log) => [log.body, log.attributes["clew.transaction.id"]])).toEqual(
      expect.arrayContaining([
        ["by pino", "T-1"],
        ["by winston", "T-1"],
        ["by bunyan", "T-1"],
        ["by console", "T-1"],
        ["the last line", undefined],
      ]),
    );
    expect(logs).toHaveLength(5);
    const spans = sink.spans.filter((span) => span.attributes["clew.transaction.id"] === "T-1");
    expect(spans.map((span) => span.kind).toSorted()).toEqual([2, 2, 3, 3]);
  },
);

test.each(NODES)("on %s, a CommonJS service keeps its whole require", async (_name, node) => {
  // Node with a `load` hook gave such a file half a require, until 22.23 and 24.14.
  await writeFile(join(installed.project, "leaf.mjs"), "export const leaf = 1;");
  await writeFile(join(installed.project, "own.mjs"), 'export { leaf } from "./leaf.mjs";');
  await writeFile(
    join(installed.project, "whole.cjs"),
    `const { leaf } = require("./own.mjs");
     const isMain = require.main === module && require.cache[__filename] === module;
     console.log(leaf, isMain, Object.keys(require).length);`,
  );
  const env = {
    OTEL_LOGS_EXPORTER: "none",
    OTEL_TRACES_EXPORTER: "none",
    CLEW_METRICS_PORT: "off",
  };
  const { stdout } = await run(node(), ["--import", REGISTER, "whole.cjs"], {
    cwd: installed.project,
    env: { ...env, CLEW_SPOOL_DIR: "off" },
  });
  expect(stdout).toBe("1 true 4\n");
});
