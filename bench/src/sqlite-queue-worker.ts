/** The worker of `SqliteQueue`: all messages that wait are committed together. */
import { DatabaseSync } from "node:sqlite";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { QueueRequest } from "./sqlite-queue.ts";

const BATCH_BYTES_MAX = 16 * 1024 * 1024;

if (!parentPort) throw new Error("cannot run: this file is a worker's");
const port = parentPort;
const database = new DatabaseSync(String((workerData as { file: string }).file));
database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
database.exec("CREATE TABLE queue (position INTEGER PRIMARY KEY, value BLOB NOT NULL)");
const insert = database.prepare("INSERT INTO queue (value) VALUES (?)");

port.on("message", (first: QueueRequest) => {
  const batch = takeBatch(first);
  database.exec("BEGIN IMMEDIATE");
  for (const { value } of batch) insert.run(value);
  database.exec("COMMIT");
  port.postMessage(batch.length);
});
port.postMessage(0);

function takeBatch(first: QueueRequest): readonly QueueRequest[] {
  const batch = [first];
  let bytes = first.value.length;
  while (bytes < BATCH_BYTES_MAX) {
    const next: { message: QueueRequest } | undefined = receiveMessageOnPort(port);
    if (next === undefined) break;
    batch.push(next.message);
    bytes += next.message.value.length;
  }
  return batch;
}
