import { afterEach, beforeEach, expect, test } from "vitest";
import { type AppEnd, runApp } from "./app-process.ts";
import { OtlpSink } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

/** Each value goes through each way of logging, twice: megabytes of lines. */
const TIMEOUT_MS = 60_000;

/** What services log without meaning to, each under its name. */
const VALUES = `
  const cyclic = { b: {} }; cyclic.b.a = cyclic;
  const revoked = Proxy.revocable({}, {}); revoked.revoke();
  const trap = () => { throw new Error("trap"); };
  let deep = {}; for (let i = 0; i < 200; i++) deep = { deep };
  class Private { #hidden = 1; shown = 2; get computed() { return this.#hidden; } }
  const values = {
    cyclic,
    big: { big: 2n ** 70n, small: 5n },
    getter: { get bad() { throw new Error("getter"); }, good: 1 },
    proxy: { p: new Proxy({}, { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap,
      getOwnPropertyDescriptor: trap }) },
    revoked: { p: revoked.proxy },
    symbols: { [Symbol("s")]: 1, s: Symbol("x"), f() {} },
    megabyte: { long: "x".repeat(1 << 20) },
    surrogates: { s: "\\ud800 and \\udc00", "\\ud800": 1 },
    numbers: { nan: NaN, infinite: -Infinity, zero: -0 },
    array: { list: Array.from({ length: 20000 }, (_, i) => i), holes: Array(3) },
    deep,
    throwingJson: { x: { toJSON() { throw new Error("toJSON"); } } },
    endlessJson: { toJSON() { return { again: this, values }; } },
    bare: Object.assign(Object.create(null), { a: 1 }),
    instance: new Private(),
    dates: { bad: new Date(NaN), good: new Date(0) },
    collections: { map: new Map([["a", new Map([[{}, 1]])]]), set: new Set([1, [2]]),
      weak: new WeakMap() },
    bytes: { u8: new Uint8Array(3), f64: new Float64Array(2), big: new BigInt64Array(1),
      raw: new ArrayBuffer(2) },
    primitive: { [Symbol.toPrimitive]: trap, toString: trap, valueOf: trap },
    inspect: { [Symbol.for("nodejs.util.inspect.custom")]: trap },
    error: Object.defineProperty(new Error("e"), "message", { get: trap }),
    errors: new AggregateError([new Error("a", { cause: cyclic }), null, 1], "both"),
    boxed: { s: new String("x"), n: new Number(1), r: /x/g, u: new URL("http://x/y") },
    nothing: null,
    missing: undefined,
  };
`;

const LOGGERS: Readonly<Record<string, string>> = {
  pino: `
    import pino from "pino";
    const log = pino({ base: null, timestamp: false });
    say = (name, value) => [
      () => log.info(value, name), () => log.info({ value }, name),
      () => log.child({ value }).info(name),
      () => log.error({ err: value }, name),
      () => log.info(name + " %s %o %j", value, value, value),
    ];`,
  winston: `
    import winston from "winston";
    const json = winston.createLogger({ transports: [new winston.transports.Console()] });
    const text = winston.createLogger({
      format: winston.format.combine(winston.format.errors({ stack: true }), winston.format.splat(),
        winston.format.printf((info) => info.level)),
      transports: [new winston.transports.Console()],
    });
    say = (name, value) => [json, text].flatMap((log) => [
      () => log.info(name, value), () => log.info(name, { value }),
      () => log.child({ value }).info(name),
      () => log.error(value), () => log.info(name + " %s %o", value, value),
    ]);`,
  bunyan: `
    import bunyan from "bunyan";
    const log = bunyan.createLogger({ name: "b", hostname: "h", pid: 1, time: "t", streams: [
      { stream: process.stdout }, { type: "raw", stream: { write() {} } } ] });
    say = (name, value) => [
      () => log.info(value, name), () => log.info({ value }, name),
      () => log.child({ value }).info(name),
      () => log.error({ err: value }, name), () => log.info(name + " %s %j", value, value),
    ];`,
  console: `
    say = (name, value) => [
      () => console.log(name, value), () => console.log("%s %o %j " + name, value, value, value),
      () => console.info({ value }), () => console.debug(value), () => console.table(value),
      () => console.dir(value), () => console.assert(false, value), () => console.group(value),
      () => console.groupEnd(),
    ];`,
};

const PROGRAM = `
  import { inspect } from "node:util";
  import { instrumentationStats, transaction } from "@clew/instrumentation";
  let say;
  LOGGER
  ${VALUES}
  const outcomes = [];
  transaction.run("T-1", () => {
    for (const [name, value] of Object.entries(values)) {
      for (const attempt of say(name, value)) {
        try { attempt(); outcomes.push(name + " fine"); }
        catch (error) { outcomes.push(name + " threw " + Object.prototype.toString.call(error)); }
      }
    }
  });
  const { lastFault } = instrumentationStats();
  process.stderr.write("\\n#" + JSON.stringify({ outcomes, lastFault }));
`;

function outcomesOf(end: AppEnd): { outcomes: string[]; lastFault?: string } {
  return JSON.parse(end.stderr.slice(end.stderr.lastIndexOf("\n#") + 2));
}

/** Without what differs from run to run. */
function comparable(stdout: string): string[] {
  const lines = stdout
    .replaceAll(/,?"transaction_id":"T-1"/g, "")
    .replaceAll(/"(?:time|pid)":[^,]*,/g, "");
  return lines.split("\n").map((line) => `${line.slice(0, 120)} ${line.length}`);
}

test.each(Object.entries(LOGGERS))(
  "17: hostile values through %s: as without us, a record of each line, cut with a mark",
  async (_name, logger) => {
    const code = PROGRAM.replace("LOGGER", logger);
    const env = { CLEW_SPOOL_DIR: "off" };
    const end = await runApp({ code, endpoint, env });
    const bare = await runApp({ code, endpoint, env: { OTEL_SDK_DISABLED: "true" } });
    expect(outcomesOf(end).outcomes).toEqual(outcomesOf(bare).outcomes);
    expect(outcomesOf(end).lastFault).toBeUndefined();
    expect(comparable(end.stdout)).toEqual(comparable(bare.stdout));
    const written = outcomesOf(end).outcomes.filter((outcome) => outcome.endsWith("fine")).length;
    expect(sink.logs.length).toBeGreaterThanOrEqual(written / 2);
    const text = JSON.stringify(
      sink.logs.map((log) => [log.body, log.attributes]),
      (_key, value) => (typeof value === "bigint" ? String(value) : value),
    );
    expect(text).toContain("…[cut ");
    expect(Math.max(...sink.requests.map((request) => request.bytes))).toBeLessThan(8 << 20);
  },
  TIMEOUT_MS,
);
