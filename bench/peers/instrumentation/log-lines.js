/**
 * Writes lines inside a request, as services do, so that every subject has its own context there:
 * `GET /lines?logger=pino&fields=2&lines=20000` is answered with what they cost.
 */
import { createWriteStream } from "node:fs";
import { createServer } from "node:http";
import bunyan from "bunyan";
import pino from "pino";
import winston from "winston";
import "./measured.js";

/** A busy service's pace; without a pause nothing would be sent, and peers' queues overflow. */
const LINES_PER_BURST = 1000;
const BURST_EVERY_MS = 25;

const nowhere = createWriteStream("/dev/null");
const loggers = {
  pino: pino(pino.destination({ dest: "/dev/null", sync: false, minLength: 4096 })),
  winston: winston.createLogger({
    format: winston.format.json(),
    transports: [new winston.transports.Stream({ stream: nowhere })],
  }),
  bunyan: bunyan.createLogger({ name: "bench", streams: [{ stream: nowhere }] }),
};
const { pino: p, winston: w, bunyan: b } = loggers;
const MESSAGE = "the order was accepted";

/** Each burst is a function of its own, so that no row is measured through another's call site. */
const BURSTS = {
  "pino 0": (from, to) => {
    for (let i = from; i < to; i++) p.info(MESSAGE);
  },
  "pino 2": (from, to) => {
    for (let i = from; i < to; i++) p.info({ orderId: i, customer: "c-17" }, MESSAGE);
  },
  "winston 2": (from, to) => {
    for (let i = from; i < to; i++) w.info(MESSAGE, { orderId: i, customer: "c-17" });
  },
  "bunyan 2": (from, to) => {
    for (let i = from; i < to; i++) b.info({ orderId: i, customer: "c-17" }, MESSAGE);
  },
  "console 0": (from, to) => {
    for (let i = from; i < to; i++) console.log(MESSAGE);
  },
};

const server = createServer(async (request, response) => {
  const { searchParams } = new URL(request.url, "http://bench");
  const burst = BURSTS[`${searchParams.get("logger")} ${searchParams.get("fields")}`];
  const answer = await writeLines(burst, Number(searchParams.get("lines")));
  response.end(JSON.stringify(answer));
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: server.address().port }));

async function writeLines(burst, lines) {
  const before = process.cpuUsage();
  const startedMs = performance.now();
  let inBurstsMicros = 0;
  for (let written = 0; written < lines; written += LINES_PER_BURST) {
    const burstCpu = process.threadCpuUsage();
    burst(written, written + LINES_PER_BURST);
    inBurstsMicros += microsOf(process.threadCpuUsage(burstCpu));
    const nextMs = startedMs + (written / LINES_PER_BURST + 1) * BURST_EVERY_MS;
    await new Promise((resolve) => setTimeout(resolve, nextMs - performance.now()));
  }
  const micros = microsOf(process.cpuUsage(before));
  return { callNs: (inBurstsMicros * 1000) / lines, cpuNs: (micros * 1000) / lines };
}

function microsOf({ user, system }) {
  return user + system;
}
