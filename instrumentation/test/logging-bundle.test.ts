import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { REGISTER, runApp } from "./app-process.ts";
import { OtlpSink } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;
const folder = mkdtempSync(join(tmpdir(), "clew-bundle-"));

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());
afterAll(() => rmSync(folder, { recursive: true }));

const SOURCE = `
  const pino = require("pino");
  const winston = require("winston");
  const bunyan = require("bunyan");
  module.exports = ({ instrumentWinston, instrumentBunyan, transaction }) => {
    instrumentWinston(winston);
    instrumentBunyan(bunyan);
    transaction.run("T-1", () => {
      pino({ base: null }).info("pino");
      winston.createLogger({ transports: [new winston.transports.Console()] }).info("winston");
      bunyan.createLogger({ name: "b" }).info("bunyan");
    });
    const one = instrumentBunyan(bunyan.createLogger({ name: "b" }));
    instrumentWinston(winston.createLogger());
    one.info("still once");
  };
`;

test("a bundle made by esbuild, its loggers wrapped explicitly: every line, once", async () => {
  const bundle = join(folder, "app.cjs");
  writeFileSync(join(folder, "source.cjs"), SOURCE);
  buildSync({
    stdin: { contents: SOURCE, resolveDir: import.meta.dirname },
    bundle: true,
    platform: "node",
    outfile: bundle,
    external: ["dtrace-provider", "source-map-support"],
    logLevel: "silent",
  });
  const { stdout, stderr } = await runApp({
    endpoint,
    args: [...REGISTER, "--input-type=module"],
    code: `
      import * as clew from "@clew/instrumentation";
      import app from ${JSON.stringify(bundle)};
      app(clew);`,
  });
  expect(stderr).toBe("");
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map((line) => line.transaction_id)).toEqual(["T-1", "T-1", "T-1", undefined]);
  expect(sink.logs.map((log) => log.body).sort()).toEqual([
    ...["bunyan", "pino", "still once", "winston"],
  ]);
});
