import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { workerData } from "node:worker_threads";
import type { ExitFlushInput } from "./exit-flush.ts";

/**
 * Posts what is left while the process's own thread, at its exit, can do nothing but wait. Each
 * delivered request is marked in shared memory, because no message would be received any more.
 */
const { requests, results, timeoutMs } = workerData as ExitFlushInput;

/** Element 0 counts finished requests; element 1 + n is the status of request n, 0 for none. */
const shared = new Int32Array(results);

for (const [index, post] of requests.entries()) send(index, post);

function send(index: number, post: ExitFlushInput["requests"][number]): void {
  const url = new URL(post.url);
  const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, {
    ...post.tls,
    method: "POST",
    headers: post.headers,
    timeout: timeoutMs,
  });
  request.on("response", (response) => {
    response.resume();
    finish(index, response.statusCode ?? 0);
  });
  request.on("timeout", () => request.destroy());
  // What failed keeps the status 0, and the process counts it as not delivered.
  request.on("error", () => finish(index, 0));
  request.end(post.body);
}

function finish(index: number, status: number): void {
  Atomics.store(shared, index + 1, status);
  Atomics.add(shared, 0, 1);
  Atomics.notify(shared, 0);
}
