import { Agent, request } from "node:http";

const CONNECTIONS = 200;

/** Every way a request's work goes on by itself, each with a random delay and a log line. */
export const BUSY_SERVER = `
  import { AsyncResource } from "node:async_hooks";
  import { EventEmitter, EventEmitterAsyncResource, once } from "node:events";
  import { stat } from "node:fs";
  import http from "node:http";
  import { PassThrough, pipeline } from "node:stream";
  import { setTimeout as pause } from "node:timers/promises";
  import { gzip } from "node:zlib";
  import pino from "pino";
  import { transaction } from "@clew/instrumentation";
  const log = pino({ base: null }, { write: () => true });
  const delay = () => Math.random() * 20;
  /** A pool as drivers have them: one timer of nobody's runs everybody's jobs. */
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
    (say, done) => void (async () => {
      await null;
      say("microtask");
      await new Promise((next) => process.nextTick(next));
      done();
    })(),
    (say, done) => bus.emit("work", () => setImmediate(() => { say("emitter"); done(); })),
    (say, done) => {
      const own = new EventEmitter();
      void once(own, "ready").then(() => { say("once"); done(); });
      setTimeout(() => own.emit("ready"), delay());
    },
    (say, done) => pool.push(AsyncResource.bind(() => { say("pool"); done(); })),
    (say, done) => {
      const own = new EventEmitterAsyncResource({ name: "job" });
      own.on("ready", () => { say("emitter of a resource"); done(); });
      pool.push(() => own.emit("ready"));
    },
    (say, done) => gzip("x".repeat(500), () => stat("/", () => { say("thread pool"); done(); })),
    (say, done) => {
      const through = new PassThrough();
      pipeline(through, new PassThrough().resume(), () => { say("stream"); done(); });
      setTimeout(() => through.end("x"), delay());
    },
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
    res.on("close", () => say("close"));
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  process.stdin.resume().on("end", () => process.exit(0));
`;

/** Lines that each request makes: data, its way, finish, close. */
export const LINES_PER_REQUEST = 4;

/** Asks for all of them at once over 200 keep-alive connections; an answer is `<id> <body>`. */
export async function askBusyServer(port: number, ids: readonly string[]): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  try {
    return await Promise.all(ids.map((id, way) => ask({ agent, port, id, way })));
  } finally {
    agent.destroy();
  }
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
