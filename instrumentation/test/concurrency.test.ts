import { Agent, request } from "node:http";
import { expect, test, vi } from "vitest";
import { App } from "./app-process.ts";
import { OtlpSink } from "./otlp-sink.ts";

const REQUESTS = 10_000;
const CONNECTIONS = 200;

/** Every way a request's work goes on by itself, each with a random delay and a log line. */
const SERVER = `
  import { AsyncResource } from "node:async_hooks";
  import { EventEmitter, once } from "node:events";
  import http from "node:http";
  import { setTimeout as pause } from "node:timers/promises";
  import pino from "pino";
  import { transaction } from "@clew/instrumentation";
  const log = pino({ base: null }, { write: () => true });
  const delay = () => Math.random() * 20;
  const pool = [];
  setInterval(() => { for (const job of pool.splice(0)) job(); }, 5).unref();
  const bus = new EventEmitter();
  bus.on("work", (done) => done());
  const leaf = http.createServer((req, res) => {
    log.info({ want: req.headers["x-want"] }, "leaf");
    setTimeout(() => res.end("leaf"), delay());
  });
  await once(leaf.listen(0, "127.0.0.1"), "listening");
  const leafUrl = "http://127.0.0.1:" + leaf.address().port;
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const ways = [
    (say, done) => setTimeout(() => { say("timer"); done(); }, delay()),
    (say, done) => void pause(delay()).then(() => { say("promise"); done(); }),
    (say, done) => bus.emit("work", () => setImmediate(() => { say("emitter"); done(); })),
    (say, done) => pool.push(AsyncResource.bind(() => { say("pool"); done(); })),
    (say, done, want) => http.get(leafUrl, { agent, headers: { "x-want": want } }, (res) =>
      res.resume().on("end", () => { say("call"); done(); })),
    (say, done, want) => void fetch(leafUrl, { headers: { "x-want": want } })
      .then((r) => r.text()).then(() => { say("fetch"); done(); }),
  ];
  const server = http.createServer((req, res) => {
    const want = req.headers["x-want"];
    const say = (where) => log.info({ want, where }, "line");
    let body = "";
    req.on("data", (chunk) => { body += chunk; say("data"); });
    req.on("end", () => {
      const way = ways[Number(req.headers["x-way"]) % ways.length];
      way(say, () => res.end(transaction.id() + " " + body), want);
    });
    res.on("finish", () => say("finish"));
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  process.stdin.resume().on("end", () => process.exit(0));
`;

test("10 000 concurrent requests: no record carries another's ID", async () => {
  const sink = new OtlpSink();
  const app = new App({ code: SERVER, endpoint: await sink.start() });
  const port = await app.nextJson<number>();
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const ids = Array.from({ length: REQUESTS }, (_, index) => `T-${index}`);
  const answers = await Promise.all(ids.map((id, way) => ask({ agent, port, id, way })));
  agent.destroy();
  expect(answers.filter((answer, index) => answer !== `${ids[index]} ${ids[index]}`)).toEqual([]);
  app.child.stdin?.end();
  const end = await app.ended;
  expect(end.stderr).toBe("");
  await vi.waitFor(() => expect(sink.spans.length).toBeGreaterThanOrEqual(REQUESTS));
  await sink.stop();
  const lines = sink.logs.filter((log) => log.scope === "pino");
  expect(lines.length).toBeGreaterThan(REQUESTS * 3);
  const wrong = lines.filter(
    (log) => log.attributes["clew.transaction.id"] !== log.attributes.want,
  );
  expect(wrong).toEqual([]);
  // Each line hangs on a span of its own transaction.
  const transactionOf = new Map(
    sink.spans.map((span) => [span.spanId, span.attributes["clew.transaction.id"]]),
  );
  const astray = lines.filter((log) => transactionOf.get(log.spanId) !== log.attributes.want);
  expect(astray).toEqual([]);
  expectGapless(sink);
}, 120_000);

/** Uids count from 1 without a gap, and nothing arrived twice under two numbers. */
function expectGapless(sink: OtlpSink): void {
  const numbers = sink.logs.map((log) =>
    Number(`${log.attributes["log.record.uid"]}`.split("-")[1]),
  );
  const distinct = [...new Set(numbers)].sort((a, b) => a - b);
  expect(distinct).toEqual(distinct.map((_, index) => index + 1));
  const sequences = sink.spans.map((span) => span.attributes["clew.span.sequence"] as number);
  const spans = [...new Set(sequences)].sort((a, b) => a - b);
  expect(spans).toEqual(spans.map((_, index) => index + 1));
}

function ask(to: { agent: Agent; port: number; id: string; way: number }): Promise<string> {
  const { agent, port, id, way } = to;
  const headers = { "x-transaction-id": id, "x-want": id, "x-way": String(way) };
  return new Promise((resolve, reject) => {
    const call = request({ agent, port, host: "127.0.0.1", method: "POST", headers }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("end", () => resolve(Buffer.concat(chunks).toString()));
    });
    call.on("error", reject);
    call.end(id);
  });
}
