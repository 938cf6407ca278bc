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
  import winston from "winston";
  const { format, transports } = winston;
`;

function run(code: string): Promise<AppEnd> {
  return runLogging({ code: PRELUDE + code, endpoint });
}

test("a winston line: severity, message, fields and the ID, in the JSON line too", async () => {
  const { stdout } = await run(`
    const log = winston.createLogger({
      level: "silly", defaultMeta: { part: "till" }, transports: [new transports.Console()],
    });
    transaction.run("T-1", () => {
      log.warn("paid", { order: 7 });
      log.log({ level: "error", message: "as one object", deep: { a: [1, null] } });
      log.child({ request: "r-1" }).child({ more: 1 }).info("by a grandchild");
      for (const level of ["http", "verbose", "debug", "silly"]) log.log(level, level);
    });
    log.info("outside");
  `);
  const lines = linesOf(stdout);
  expect(lines.map((line) => line.transaction_id)).toEqual([...Array(7).fill("T-1"), undefined]);
  const id = { "clew.transaction.id": "T-1", part: "till" };
  expect(ownAttributes(sink.logs).slice(0, 3)).toEqual([
    { ...id, order: 7 },
    { ...id, deep: { a: [1, null] } },
    { ...id, request: "r-1", more: 1 },
  ]);
  expect(sink.logs.map((log) => [log.severity, log.severityText, log.body])).toEqual([
    ...[[13, "WARN", "paid"]],
    ...[[17, "ERROR", "as one object"]],
    ...[[9, "INFO", "by a grandchild"]],
    ...[[7, "http", "http"]],
    ...[[6, "verbose", "verbose"]],
    ...[[5, "DEBUG", "debug"]],
    ...[[1, "silly", "silly"]],
    ...[[9, "INFO", "outside"]],
  ]);
});

test("schemes of levels: syslog's, one's own, and numbers that nothing is known of", async () => {
  await run(`
    const out = { stream: process.stderr, format: format.printf(() => "") };
    const made = (levels) => winston.createLogger({
      levels, level: Object.keys(levels).at(-1),
      transports: [new transports.Stream(out)],
    });
    const say = (log, levels) => { for (const level of levels) log.log(level, level); };
    say(made(winston.config.syslog.levels), Object.keys(winston.config.syslog.levels));
    say(made({ error: 0, audit: 1, info: 2 }), ["error", "audit", "info"]);
    say(made({ high: 0, low: 1 }), ["high", "low"]);
  `);
  expect(sink.logs.map((log) => `${log.body} ${log.severity}`)).toEqual([
    ...["emerg 21", "alert 19", "crit 18", "error 17", "warning 13", "notice 10", "info 9"],
    ...["debug 5", "error 17", "audit 13", "info 9", "high 17", "low 13"],
  ]);
});

test("formats: splat, colours, metadata, timestamps, the service's own redaction", async () => {
  const { stdout } = await run(`
    const out = new transports.Console();
    const made = (...formats) =>
      winston.createLogger({ format: format.combine(...formats), transports: [out] });
    const hide = format((info) => ({ ...info, iban: "hidden" }));
    transaction.run("T-2", () => {
      made(format.splat(), format.json()).info("%s has %d items", "cart", 3, { user: "ann" });
      made(format.colorize({ all: true }), format.printf((i) => i.message)).warn("in colour");
      made(format.metadata(), format.json()).info("nested", { a: 1 });
      made(hide(), format.json()).info("hidden", { iban: "DE89" });
      winston.createLogger({ transports: [
        new transports.Console({ format: format.combine(format.splat(), format.simple()) }),
      ] }).info("late %s", "splat");
    });
  `);
  expect(stdout).not.toContain("DE89");
  expect(stdout).toContain("\u001b[33min colour\u001b[39m\n");
  expect(sink.logs.map((log) => log.body)).toEqual([
    ...["cart has 3 items", "in colour", "nested", "hidden", "late splat"],
  ]);
  expect(ownAttributes(sink.logs)[0]).toMatchObject({ user: "ann", "clew.transaction.id": "T-2" });
  expect(ownAttributes(sink.logs)[2]?.metadata).toMatchObject({ a: 1 });
  expect(ownAttributes(sink.logs)[3]).toMatchObject({ iban: "hidden" });
});

test("errors: as the message, in the fields, with format.errors, with causes", async () => {
  await run(`
    const made = (...formats) => winston.createLogger({
      format: format.combine(...formats, format.json()), transports: [new transports.Console()],
    });
    const error = () => Object.assign(
      new RangeError("too far", { cause: new Error("the root") }), { code: "E_FAR" });
    made(format.errors({ stack: true })).error(error());
    made().error("it failed", error());
    made().error({ message: error() });
    made().error("in a field", { err: error(), n: 1 });
    made().error(new AggregateError([new TypeError("one"), new Error("two")], "both"));
  `);
  expect(sink.logs).toHaveLength(5);
  for (const log of sink.logs.slice(0, 4)) {
    expect(log.severity).toBe(17);
    expect(log.attributes).toMatchObject({ "exception.type": "RangeError" });
    expect(log.attributes["exception.message"]).toBe("too far");
    expect(log.attributes["exception.stacktrace"]).toMatch(
      /RangeError: too far[\s\S]*caused by: Error: the root/,
    );
  }
  expect(ownAttributes(sink.logs)[0]).toMatchObject({ code: "E_FAR" });
  expect(ownAttributes(sink.logs)[3]).toMatchObject({
    n: 1,
    err: { code: "E_FAR", cause: { message: "the root" } },
  });
  expect(sink.logs[4]?.attributes["exception.stacktrace"]).toMatch(
    /both[\s\S]*one of: TypeError: one[\s\S]*one of: Error: two/,
  );
});

test("one record per call, whatever the transports; none where none of them writes", async () => {
  const { stdout } = await run(`
    const sinkless = () => new transports.Console({ silent: true });
    winston.createLogger({ transports: [new transports.Console(), new transports.Console()] })
      .info("twice on stdout");
    winston.createLogger({ transports: [new transports.Console({ forceConsole: true })] })
      .info("by console.log");
    winston.createLogger({ level: "info", transports: [
      new transports.Console({ level: "error" }), new transports.Console({ level: "debug" }),
    ] }).debug("for one of them");
    winston.createLogger({ silent: true, transports: [new transports.Console()] }).error("silent");
    winston.createLogger({ transports: [sinkless()] }).error("silent transport");
    winston.createLogger({ level: "warn", transports: [new transports.Console()] }).info("below");
    const drop = format((info) => (info.drop ? false : info));
    winston.createLogger({ format: drop(), transports: [new transports.Console()] })
      .info("dropped by its format", { drop: true });
  `);
  expect(stdout.match(/twice on stdout/g)).toHaveLength(2);
  expect(sink.logs.map((log) => log.body)).toEqual([
    ...["twice on stdout", "by console.log", "for one of them"],
  ]);
});

test("the service's own objects stay as they are", async () => {
  const { stdout } = await run(`
    const log = winston.createLogger({ transports: [new transports.Console({ silent: true })] });
    const meta = Object.freeze({ order: 7 });
    const info = { level: "info", message: "one", transaction_id: "own" };
    const error = new Error("bad");
    transaction.run("T-3", () => { log.info("x", meta); log.log(info); log.error(error); });
    process.stdout.write(JSON.stringify([Object.keys(meta), info, Object.keys(error)]));
  `);
  expect(JSON.parse(stdout)).toEqual([
    ["order"],
    { level: "info", message: "one", transaction_id: "own" },
    ["level"],
  ]);
});

test("lines that wait in a slow transport keep the transaction they were written in", async () => {
  await run(`
    import { Writable } from "node:stream";
    const slow = new Writable({ objectMode: true, write() {} });
    const log = winston.createLogger({ transports: [new transports.Stream({ stream: slow })] });
    let release = [];
    log.transports[0].log = (info, done) => { release.push(done); };
    for (let i = 0; i < 100; i++) transaction.run("T-" + i, () => log.info("line " + i));
    while (release.length > 0) {
      const all = release;
      release = [];
      for (const done of all) done();
      await null;
    }
  `);
  expect(sink.logs).toHaveLength(100);
  for (const log of sink.logs) {
    expect(log.attributes["clew.transaction.id"]).toBe(String(log.body).replace("line ", "T-"));
  }
});

test("a bundle, wrapped explicitly: by the module, or by one logger", async () => {
  const { stdout } = await run(`
    import { instrumentWinston } from "@clew/instrumentation";
    import { createRequire } from "node:module";
    instrumentWinston(winston);
    const log = instrumentWinston(winston.createLogger({ transports: [new transports.Console()] }));
    transaction.run("T-4", () => log.info("once"));
    try { instrumentWinston({}); } catch (error) { process.stdout.write(error.message); }
  `);
  expect(stdout).toContain("cannot instrument winston: it has no Logger");
  expect(sink.logs).toHaveLength(1);
});
