/** A service that starts others of its kind, as its last argument says: see runs.test.ts. */
import { fork } from "node:child_process";
import cluster from "node:cluster";
import { once } from "node:events";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { transaction } from "@clew/instrumentation";
import { trace } from "@opentelemetry/api";

const LINES = 40;
const FILE = import.meta.filename;
const tracer = trace.getTracer("runs");

const ROLES: Readonly<Record<string, () => Promise<unknown>>> = {
  alone: writeLines,
  cluster: startCluster,
  fork: startChild,
  threads: startThreads,
};

const role: unknown = isMainThread ? process.argv.at(-1) : workerData;
if (cluster.isWorker) {
  await writeLines();
  cluster.worker?.disconnect();
} else {
  await ROLES[String(role)]?.();
}

/** Lines and spans that overlap, each in a transaction of its own. */
function writeLines(): Promise<unknown> {
  const waits = Array.from({ length: LINES }, async (_, number) => {
    await transaction.run(async () => {
      const span = tracer.startSpan("work");
      for (let turn = (number * 7) % 13; turn > 0; turn--) await new Promise(setImmediate);
      console.log("line", number);
      span.end();
    });
  });
  return Promise.all(waits);
}

async function startCluster(): Promise<void> {
  const workers = [cluster.fork(), cluster.fork(), cluster.fork()];
  await Promise.all(workers.map((worker) => once(worker, "exit")));
  console.log("line of the primary");
}

async function startChild(): Promise<void> {
  await once(fork(FILE, ["alone"]), "exit");
  console.log("line of the parent");
}

/** With what they inherit: that is how the instrumentation reaches them. */
async function startThreads(): Promise<void> {
  const threads = [1, 2, 3].map(() => new Worker(FILE, { workerData: "alone" }));
  await Promise.all(threads.map((thread) => once(thread, "exit")));
  console.log("line of the main thread");
}
