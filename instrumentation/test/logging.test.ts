import { afterEach, beforeEach, expect, test } from "vitest";
import { type AppEnd, runApp } from "./app-process.ts";
import { ownAttributes, runLogging } from "./logging-app.ts";
import { OtlpSink } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

const PRELUDE = `
  import pino from "pino";
`;

function run(code: string): Promise<AppEnd> {
  return runLogging({ code: PRELUDE + code, endpoint });
}

test("a pino line: message, severity, fields, bindings and the ID, on stdout too", async () => {
  const { stdout } = await run(`
    const log = pino({ name: "shop" }).child({ part: "till" });
    const fields = { order: 7, deep: { a: [1, "x", null] } };
    transaction.run("T-1", () => log.warn(fields, "paid %s", "all"));
    log.info("outside");
  `);
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines[0]).toMatchObject({
    transaction_id: "T-1",
    part: "till",
    order: 7,
    msg: "paid all",
  });
  expect(lines[1]).not.toHaveProperty("transaction_id");
  expect(sink.logs[0]).toMatchObject({ severityText: "WARN", severity: 13, body: "paid all" });
  expect(ownAttributes(sink.logs)[0]).toEqual({
    "clew.transaction.id": "T-1",
    ...{ name: "shop", part: "till", order: 7, deep: { a: [1, "x", null] } },
  });
  expect(ownAttributes(sink.logs)[1]).toEqual({ name: "shop", part: "till" });
});

test("pino's redaction, serializers, mixin, nested key, custom keys and levels hold", async () => {
  const { stdout } = await run(`
    transaction.run("T-2", () => {
      pino({ base: null, redact: ["password"] }).info({ password: "hunter2", user: "ann" }, "in");
      pino({ base: null, mixin: () => ({ mixed: 1 }) }).info("mixin");
      pino({ base: null, nestedKey: "data" }).info({ a: 1 }, "nested");
      pino({ base: null, messageKey: "text", errorKey: "cause" }).error(new TypeError("bad"));
      pino({ base: null, customLevels: { audit: 35 } }).audit({ who: "ann" }, "audited");
      pino({ base: null, serializers: { req: () => "short" } }).info({ req: { long: 1 } }, "ser");
      pino({ base: null, timestamp: false, formatters: { level: (l) => ({ severity: l }) } })
        .info({ b: 2 }, "formatted");
      pino({ base: null }).info({ transaction_id: "own" }, "its own field");
    });
  `);
  expect(stdout).not.toContain("hunter2");
  expect(JSON.stringify(sink.logs.map((log) => log.attributes))).not.toContain("hunter2");
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  // Each logger has its own way to the pipe, so that their order is not the one of the calls.
  const ids = lines.map((line) => line.transaction_id).toSorted();
  expect(ids).toEqual([...Array(7).fill("T-2"), "own"]);
  const id = { "clew.transaction.id": "T-2" };
  expect(ownAttributes(sink.logs)[0]).toEqual({ ...id, password: "[Redacted]", user: "ann" });
  expect(ownAttributes(sink.logs)[1]).toEqual({ ...id, mixed: 1 });
  expect(ownAttributes(sink.logs)[2]).toEqual({ ...id, data: { a: 1 } });
  expect(ownAttributes(sink.logs)[3]).toMatchObject({
    ...id,
    "exception.type": "TypeError",
    "exception.message": "bad",
  });
  expect(ownAttributes(sink.logs)[4]).toEqual({ ...id, who: "ann" });
  expect(ownAttributes(sink.logs)[5]).toEqual({ ...id, req: "short" });
  expect(ownAttributes(sink.logs)[6]).toMatchObject({ ...id, b: 2 });
  expect(sink.logs.map((log) => log.body)).toEqual([
    "in",
    "mixin",
    "nested",
    "bad",
    "audited",
    "ser",
    "formatted",
    "its own field",
  ]);
  expect(sink.logs[4]).toMatchObject({ severity: 11, severityText: "audit" });
});

test("a field that a logger's bindings have too stands once, with the line's value", async () => {
  await run(`
    pino({ base: null }, { write: () => true }).child({ a: 1, b: 1 }).info({ a: 2, c: 3 }, "x");
  `);
  expect(ownAttributes(sink.logs)[0]).toEqual({ a: 2, b: 1, c: 3 });
});

test("errors: type, message, stack with causes, and what else they hold", async () => {
  await run(`
    const cause = new Error("the root");
    const error = Object.assign(new RangeError("too far", { cause }), { code: "E_FAR" });
    pino({ base: null }, { write: () => true }).error({ err: error, n: 1 }, "failed");
    console.error("console failed", error);
  `);
  for (const log of sink.logs) {
    expect(log.severityText).toBe("ERROR");
    expect(log.attributes).toMatchObject({
      "exception.type": "RangeError",
    });
    expect(log.attributes["exception.message"]).toContain("too far");
    expect(log.attributes["exception.stacktrace"]).toMatch(/RangeError: too far[\s\S]*the root/);
  }
  expect(ownAttributes(sink.logs)[0]).toMatchObject({ n: 1, err: { code: "E_FAR" } });
});

test.each([
  ["debug", "DEBUG"],
  ["log", "INFO"],
  ["info", "INFO"],
  ["warn", "WARN"],
  ["error", "ERROR"],
])("console.%s is a record of severity %s; what is printed stays", async (method, severity) => {
  const end = await runApp({ code: `console.${method}("a %d", 1, { b: 2 })`, endpoint });
  expect(end.stdout + end.stderr).toBe("a 1 { b: 2 }\n");
  expect(sink.logs).toMatchObject([{ severityText: severity, body: "a 1 { b: 2 }" }]);
});

/** Without times, and each with its length: a failing comparison stays readable. */
function linesOf(output: string): string[] {
  return output
    .replace(/"time":\d+/g, "")
    .split("\n")
    .map((line) => `${line.slice(0, 200)} ${line.length}`);
}

test.each([
  ["a cycle", "const a = { b: {} }; a.b.a = a; say(a);"],
  ["a BigInt", "say({ big: 2n ** 70n, small: 5n });"],
  ["a symbol and a function", "say({ s: Symbol('x'), f() {} });"],
  ["a getter that throws", "say({ get bad() { throw new Error('getter'); }, good: 1 });"],
  ["a proxy that throws", "say({ p: new Proxy({}, { ownKeys() { throw new Error('trap'); } }) });"],
  ["an object without prototype", "say(Object.assign(Object.create(null), { a: 1 }));"],
  ["a toJSON that throws", "say({ toJSON() { throw new Error('toJSON'); } });"],
  ["an inspect that throws", "say({ [Symbol.for('nodejs.util.inspect.custom')]() { throw 1; } });"],
  ["lone surrogates", "say({ s: '\\ud800' });"],
  ["a megabyte", "say({ long: 'x'.repeat(1 << 20) });"],
  ["ten thousand keys", "say(Object.fromEntries(Array.from({ length: 1e4 }, (_, i) => [i, i])));"],
  ["depth", "let d = {}; for (let i = 0; i < 200; i++) d = { d }; say(d);"],
])("%s: behaves as without us, and leaves a record each", async (_, code) => {
  // One writer for each descriptor: in one pipe, long lines of the two would mix as they please.
  const say = `const log = pino({ base: null }, pino.destination(2));
    const attempt = (body) => {
      try { body(); } catch (e) { process.stdout.write("threw " + e + "\\n"); }
    };
    const say = (value) => {
      attempt(() => log.info(value, "line"));
      attempt(() => console.log(value));
    };`;
  const end = await run(say + code);
  const env = { OTEL_SDK_DISABLED: "true" };
  const bare = await runApp({ code: PRELUDE + say + code, endpoint, env });
  expect(linesOf(end.stdout)).toEqual(linesOf(bare.stdout));
  expect(linesOf(end.stderr)).toEqual(linesOf(bare.stderr));
  expect(end.code).toBe(0);
  const printed = bare.stdout.includes("threw") ? 1 : 2;
  expect(sink.logs.length).toBeGreaterThanOrEqual(printed);
  expect(Math.max(...sink.requests.map((request) => request.bytes))).toBeLessThan(1 << 20);
});

test("what is cut says so", async () => {
  await run(
    `pino({ base: null }, { write: () => true }).info({ long: "x".repeat(100_000) }, "line");`,
  );
  expect(ownAttributes(sink.logs)[0]?.long).toMatch(/^x{65536}…\[cut 34464 characters\]$/);
});

test("a getter that logs does not spoil the record it is in", async () => {
  await run(`
    import { trace } from "@opentelemetry/api";
    const span = trace.getTracer("t").startSpan("s");
    span.setAttribute("list", [{ get inner() { console.log("from inside"); return 1; } }]);
    span.end();
    console.log("after");
  `);
  expect(sink.spans).toHaveLength(1);
  expect(sink.logs.map((log) => log.body)).toEqual(["from inside", "after"]);
});

test("transaction.run: nested, without an ID, with a bad one, and after it", async () => {
  const { stdout } = await run(`
    const seen = [transaction.id() ?? null];
    await transaction.run("outer", async () => {
      seen.push(transaction.id());
      await transaction.run("inner", async () => { await null; seen.push(transaction.id()); });
      seen.push(transaction.id());
    });
    seen.push(transaction.run(() => transaction.id()).length);
    seen.push(transaction.run("not good!", () => transaction.id()).length);
    seen.push(instrumentationStats().transactions);
    try { transaction.run("x", () => { throw new RangeError("mine"); }); }
    catch (error) { seen.push(error.name); }
    seen.push(transaction.id() ?? null);
    process.stdout.write(JSON.stringify(seen));
  `);
  expect(JSON.parse(stdout)).toEqual([
    ...[null, "outer", "inner", "outer", 36, 36],
    expect.objectContaining({ minted: 2, rejected: 1, baggageDropped: 0 }),
    ...["RangeError", null],
  ]);
});
