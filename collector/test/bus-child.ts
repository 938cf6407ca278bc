/**
 * A process that publishes, to be killed or traced: `bus-child.ts <dir> <count> <at once> <fsync>`.
 * Prints `ack <request id> <offset>` or `no <request id> <code>` once each publish has settled, and
 * after the last one what a consumer gets: `got <request id>`. Count 0 publishes until killed.
 */
import { writeSync } from "node:fs";
import { EmbeddedBus } from "../src/bus/embedded-bus.ts";

const [dir = "", count = "0", atOnce = "1", fsync = "true"] = process.argv.slice(2);
const limit = Number(count) || Number.POSITIVE_INFINITY;
const bus = await EmbeddedBus.open({
  dir,
  maxInFlightBytes: 1024 * 1024,
  fsync: fsync === "true",
  nowNs: () => BigInt(Date.now()) * 1_000_000n,
  report: (line) => say(`report ${line}`),
});
let started = 0;
let acknowledged = 0;
await Promise.all(Array.from({ length: Number(atOnce) }, publishOneByOne));
const consumer = await bus.openConsumer(new Map());
const signal = AbortSignal.timeout(10_000);
for (let taken = 0; taken < acknowledged && !signal.aborted; ) {
  const messages = await consumer.read({ maxBytes: 1024 * 1024, signal });
  for (const { headers } of messages) say(`got ${headers.requestId}`);
  taken += messages.length;
}
await bus.stop();

async function publishOneByOne(): Promise<void> {
  while (started < limit) {
    const requestId = `${process.pid}-${started++}`;
    const headers = { requestId, part: 0, records: 1, receivedNs: 1n, repeat: false };
    const value = Buffer.alloc((started * 37) % 3000, started % 251);
    try {
      const { offset } = await bus.publish({ topic: "logs", headers, value });
      acknowledged++;
      say(`ack ${requestId} ${offset}`);
    } catch (error) {
      say(`no ${requestId} ${error instanceof Error && "code" in error ? error.code : error}`);
    }
  }
}

/** Written at once, so that the tracer sees it in its order. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}
