import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { type AppEnd, REGISTER, runApp } from "./app-process.ts";
import { linesOf, ownAttributes, runLogging } from "./logging-app.ts";
import { OtlpSink } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;
const folder = mkdtempSync(join(tmpdir(), "clew-pino-"));

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());
afterAll(() => rmSync(folder, { recursive: true }));

const PRELUDE = `
  import pino from "pino";
  const nowhere = { write: () => true };
`;

function run(code: string): Promise<AppEnd> {
  return runLogging({ code: PRELUDE + code, endpoint });
}

test("transports in a worker thread: the ID on stdout, and one record of each line", async () => {
  const printer = join(folder, "printer.mjs");
  writeFileSync(
    printer,
    `import { Writable } from "node:stream";
     export default () => new Writable({ write(chunk, _encoding, done) {
       console.log(String(chunk).trimEnd()); done(); } });`,
  );
  const file = join(folder, "app.log");
  const { stdout } = await run(`
    const log = pino({ base: null }, pino.transport({ targets: [
      { target: "pino/file", options: { destination: 1 } },
      { target: "pino/file", options: { destination: ${JSON.stringify(file)} } },
      { target: ${JSON.stringify(printer)} },
    ] }));
    transaction.run("T-1", () => { log.info("one"); log.child({ a: 1 }).warn("two"); });
  `);
  const written = linesOf(stdout);
  expect(written).toHaveLength(4);
  expect(written.every((line) => line.transaction_id === "T-1")).toBe(true);
  expect(linesOf(readFileSync(file, "utf8"))).toHaveLength(2);
  expect(sink.logs.map((log) => [log.body, log.scope])).toEqual([
    ["one", "pino"],
    ["two", "pino"],
  ]);
});

test("severities: custom levels by name and by place, whichever way they run", async () => {
  await run(`
    const say = (log) => { for (const level of Object.keys(log.levels.values)) log[level](level); };
    say(pino({ level: "trace", customLevels: { audit: 35, verbose: 15 } }, nowhere));
    const only = (customLevels, levelComparison = "ASC") => pino({
      customLevels, levelComparison, useOnlyCustomLevels: true, level: Object.keys(customLevels)[0],
    }, nowhere);
    say(only({ low: 1, high: 2 }));
    say(only({ debug: 7, notice: 5, odd: 4, err: 3, emerg: 0 }, "DESC"));
  `);
  expect(sink.logs.map((log) => `${log.body} ${log.severity} ${log.severityText}`)).toEqual([
    ...["trace 1 TRACE", "debug 5 DEBUG", "info 9 INFO", "warn 13 WARN", "error 17 ERROR"],
    ...["fatal 21 FATAL", "audit 11 audit", "verbose 6 verbose", "low 13 low", "high 17 high"],
    ...["debug 5 DEBUG", "notice 10 notice", "odd 13 odd", "err 17 err", "emerg 21 emerg"],
  ]);
});

test("the record shows what pino wrote: serializers, redaction, hooks, message keys", async () => {
  await run(`
    const log = pino({ base: null }, nowhere);
    log.child({ a: 1 }, { serializers: { user: (u) => u.name } })
      .info({ user: { name: "ann" } }, "1");
    log.child({}, { redact: ["iban", "msg"] }).info({ iban: "DE89", n: 1 }, "hidden message");
    log.child({ b: { c: [1] } }, { msgPrefix: "[p] " })
      .info({ plain: true, none: null, f() {} }, "3");
    pino({ base: null, redact: ["*.iban", "list[*].iban"] }, nowhere)
      .info({ x: { iban: "DE89" }, list: [{ iban: "DE90" }] }, "4");
    const logMethod = function (args, method) { method.apply(this, ["hooked " + args[0]]); };
    pino({ base: null, hooks: { logMethod } }, nowhere).info("5");
    pino({ base: null, formatters: { log: (o) => ({ ...o, added: 1 }) } }, nowhere)
      .info({ n: 1 }, "6");
    pino({ base: null, messageKey: "text" }, nowhere)
      .info({ msg: "a field", date: new Date(0) }, "7");
    log.info({ nan: NaN, inf: Infinity, zero: -0, nothing: undefined, text: "ä\\n" }, "8");
    log.info({ req: undefined, level: "own", time: 1 }, "9");
    log.info({ msg: "in the object" });
    log.info("%s and %j", "text", { a: 1 });
    log.info({});
  `);
  expect(sink.logs.map((log) => log.body)).toEqual([
    ...["1", "[Redacted]", "[p] 3", "4", "hooked 5", "6", "7", "8", "9", "in the object"],
    ...['text and {"a":1}', null],
  ]);
  expect(ownAttributes(sink.logs)).toMatchObject([
    { a: 1, user: "ann" },
    { iban: "[Redacted]", n: 1 },
    { b: { c: [1] }, plain: true, none: null },
    { x: { iban: "[Redacted]" }, list: [{ iban: "[Redacted]" }] },
    {},
    { n: 1, added: 1 },
    { msg: "a field", date: "1970-01-01T00:00:00.000Z" },
    { nan: null, inf: null, zero: 0, text: "ä\n" },
    { level: "own", time: 1 },
    ...[{}, {}, {}],
  ]);
  expect(ownAttributes(sink.logs)[2]).not.toHaveProperty("f");
});

test("as pino-http uses it: a child per request, with request, response and error", async () => {
  const { stdout } = await run(`
    import { createServer } from "node:http";
    const serializers = pino.stdSerializers;
    const log = pino({ base: null, serializers, redact: ["req.headers.cookie"] });
    const server = createServer((req, res) => {
      req.log = log.child({ req });
      res.on("finish", () => req.log.info({ res, responseTime: 1.5 }, "request completed"));
      res.on("finish", () => req.log.error({ err: new Error("late") }, "request errored"));
      res.end("ok");
    });
    server.listen(0, async () => {
      const authorization = "Bearer abcdef";
      const headers = { "x-transaction-id": "T-2", cookie: "sid=1", authorization };
      await (await fetch("http://127.0.0.1:" + server.address().port + "/x", { headers })).text();
      server.close();
    });
  `);
  const lines = linesOf(stdout);
  expect(lines.map((line) => line.transaction_id)).toEqual(["T-2", "T-2"]);
  expect(sink.logs.map((log) => log.body)).toEqual(["request completed", "request errored"]);
  const headers = { cookie: "[Redacted]", authorization: "[redacted]" };
  expect(ownAttributes(sink.logs)[0]).toMatchObject({
    ...{ "clew.transaction.id": "T-2", responseTime: 1.5 },
    req: { method: "GET", url: "/x", headers },
    res: { statusCode: 200 },
  });
  expect(ownAttributes(sink.logs)[1]).toMatchObject({
    "exception.message": "late",
    req: { url: "/x" },
  });
});

/** The real pino, without the channel that versions before 9.10 do not have. */
function installOldPino(): string {
  const app = join(folder, "old");
  const modules = join(app, "node_modules");
  mkdirSync(modules, { recursive: true });
  const installed = dirname(createRequire(import.meta.url).resolve("pino"));
  cpSync(installed, join(modules, "pino"), { recursive: true });
  for (const name of ["@clew", "pino-std-serializers", "sonic-boom", "quick-format-unescaped"]) {
    symlinkSync(join(installed, "..", name), join(modules, name));
  }
  for (const name of ["on-exit-leak-free", "safe-stable-stringify", "thread-stream", "@pinojs"]) {
    symlinkSync(join(installed, "..", name), join(modules, name));
  }
  for (const name of [
    "process-warning",
    "pino-abstract-transport",
    "atomic-sleep",
    "real-require",
  ]) {
    symlinkSync(join(installed, "..", name), join(modules, name));
  }
  const tools = join(modules, "pino/lib/tools.js");
  const source = readFileSync(tools, "utf8");
  const old = source.replace(/function asJson \([\s\S]*?\n}\n/, (text) =>
    text.replace(/{[\s\S]*}/, "{ return _asJson.call(this, obj, msg, num, time) }"),
  );
  expect(old).not.toBe(source);
  writeFileSync(tools, old.replace(/.*asJsonChan.*\n/, ""));
  const meta = join(modules, "pino/lib/meta.js");
  writeFileSync(meta, "module.exports = { version: '9.9.5' }\n");
  return app;
}

test("pino before 9.10: recorded where we come first, else named on stderr, once", async () => {
  const cwd = installOldPino();
  const app = join(cwd, "app.cjs");
  writeFileSync(
    app,
    `const pino = require("pino");
     const clew = process.env.LATE === "1" ? require("@clew/instrumentation/register") : 0;
     const { transaction } = require("@clew/instrumentation");
     pino({ base: null }).info("outside");
     transaction.run("T-3", () => pino({ base: null }).child({ a: 1 }).info({ b: 2 }, "old"));`,
  );
  const early = await runApp({ code: "", endpoint, args: [...REGISTER, app] });
  expect(early.stderr).toBe("");
  expect(linesOf(early.stdout).map((line) => line.transaction_id)).toEqual([undefined, "T-3"]);
  expect(ownAttributes(sink.logs)[1]).toEqual({ "clew.transaction.id": "T-3", a: 1, b: 2 });

  const late = await runApp({ code: "", endpoint, args: [app], env: { LATE: "1" } });
  expect(late.stderr.match(/pino 9\.9\.5 was loaded before/g)).toHaveLength(1);
  expect(linesOf(late.stdout)).toHaveLength(2);
  expect(sink.logs).toHaveLength(2);
});
