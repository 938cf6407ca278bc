import { afterEach, beforeEach, expect, test } from "vitest";
import type { AppEnd } from "./app-process.ts";
import { linesOf, ownAttributes, runLogging } from "./logging-app.ts";
import { OtlpSink } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

const PRELUDE = `
  import bunyan from "bunyan";
`;

function run(code: string): Promise<AppEnd> {
  return runLogging({ code: PRELUDE + code, endpoint });
}

test("a bunyan line: severity, message, fields and the ID, in the line too", async () => {
  const { stdout } = await run(`
    const log = bunyan.createLogger({ name: "shop", level: "trace" });
    transaction.run("T-1", () => {
      log.child({ part: "till" }).warn({ order: 7 }, "paid %s", "all");
      log.child({ simple: true }, true).info("by a simple child");
      for (const level of ["trace", "debug", "info", "warn", "error", "fatal"]) log[level](level);
      log.info({ transaction_id: "own" }, "its own field");
    });
    log.info("outside");
  `);
  const lines = linesOf(stdout);
  expect(lines.map((line) => line.transaction_id)).toEqual([
    ...Array(8).fill("T-1"),
    "own",
    undefined,
  ]);
  expect(sink.logs.map((log) => `${log.body} ${log.severity} ${log.severityText}`)).toEqual([
    ...["paid all 13 WARN", "by a simple child 9 INFO", "trace 1 TRACE", "debug 5 DEBUG"],
    ...["info 9 INFO", "warn 13 WARN", "error 17 ERROR", "fatal 21 FATAL"],
    ...["its own field 9 INFO", "outside 9 INFO"],
  ]);
  const id = { "clew.transaction.id": "T-1", name: "shop" };
  expect(ownAttributes(sink.logs).slice(0, 2)).toEqual([
    { ...id, part: "till", order: 7 },
    { ...id, simple: true },
  ]);
});

test("errors, serializers and src: the record shows what bunyan wrote", async () => {
  await run(`
    const cause = new Error("the root");
    const error = Object.assign(new RangeError("too far", { cause }), { code: "E_FAR" });
    const serializers = { req: () => "short" };
    const log = bunyan.createLogger({ name: "shop", src: true, serializers });
    log.error(error);
    log.error({ err: error, n: 1 }, "no serializer for it");
    bunyan.createLogger({ name: "shop", serializers: bunyan.stdSerializers })
      .error({ err: error }, "std");
    log.info({ req: { long: 1 } }, "serialized");
  `);
  for (const { attributes, severity } of sink.logs.slice(0, 3)) {
    expect(severity).toBe(17);
    expect(attributes).toMatchObject({
      "exception.message": "too far",
      err: { code: "E_FAR" },
    });
    expect(attributes["exception.type"]).toBe("RangeError");
    expect(attributes["exception.stacktrace"]).toContain("RangeError: too far");
  }
  expect(sink.logs.map((log) => log.body)).toEqual([
    ...["too far", "no serializer for it", "std", "serialized"],
  ]);
  for (const { attributes } of sink.logs.slice(0, 3)) {
    expect(attributes["exception.stacktrace"]).toContain("caused by: Error: the root");
  }
  expect(ownAttributes(sink.logs)[3]).toMatchObject({
    req: "short",
    src: { line: expect.any(Number) },
  });
});

test("streams: one record per call, none below their levels; raw and rotating ones", async () => {
  const { stdout } = await run(`
    import { mkdtempSync, readFileSync } from "node:fs";
    import { join } from "node:path";
    import { tmpdir } from "node:os";
    const path = join(mkdtempSync(join(tmpdir(), "clew-bunyan-")), "app.log");
    const raw = new bunyan.RingBuffer({ limit: 10 });
    const log = bunyan.createLogger({ name: "shop", streams: [
      { type: "raw", stream: raw, level: "info" },
      { type: "rotating-file", path, period: "1d", count: 2, level: "warn" },
    ] });
    transaction.run("T-2", () => { log.debug("nowhere"); log.info("ring"); log.warn("both"); });
    log.streams[1].stream.stream.end(() => {
      const [line] = readFileSync(path, "utf8").split("\\n");
      const ids = raw.records.map((record) => record.transaction_id);
      process.stdout.write(JSON.stringify([ids, JSON.parse(line)]));
      process.exit();
    });
  `);
  expect(JSON.parse(stdout)).toMatchObject([
    ["T-2", "T-2"],
    { transaction_id: "T-2", msg: "both" },
  ]);
  expect(sink.logs.map((log) => log.body)).toEqual(["ring", "both"]);
});
