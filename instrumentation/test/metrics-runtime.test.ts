import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runApp } from "./app-process.ts";
import { metricValue, TOOLS } from "./metrics-tools.ts";
import { OtlpSink } from "./otlp-sink.ts";
import { TEST_CERTIFICATE } from "./test-certificate.ts";

let sink: OtlpSink;
let endpoint: string;

let folder: string;
let certificateFile: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "clew-metrics-"));
  certificateFile = join(folder, "certificate.pem");
  writeFileSync(certificateFile, TEST_CERTIFICATE.cert);
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(async () => {
  await sink.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function run<T>(
  code: string,
  args: readonly string[] = REGISTER,
  env: Record<string, string> = {},
): Promise<T> {
  const end = await runApp({ code: TOOLS + code, endpoint, args, env });
  expect([end.stderr, end.code]).toEqual(["", 0]);
  return JSON.parse(end.stdout.trim().split("\n").at(-1) ?? "") as T;
}

const REGISTER = ["--import", "@clew/instrumentation/register", "--input-type=module"];

test("the service's own prom-client: registry, names and metrics stay as they were", async () => {
  const told = await run<Record<string, string>>(`
    const { default: prom } = await import("prom-client");
    prom.collectDefaultMetrics();
    const counter = new prom.Counter({ name: "mine_total", help: "h" });
    counter.inc(3);
    const before = Object.keys(prom.register._metrics ?? {});
    metrics.add(counter);
    const ours = [await scrape(), await metrics.text()];
    counter.inc();
    const names = (await prom.register.getMetricsAsJSON()).map(({ name }) => name);
    show({
      ours: ours[0], plain: ours[1],
      theirs: await prom.register.metrics(),
      names: names.join(), before: before.join(),
    });
  `);
  const { ours = "", plain = "", theirs = "", names = "" } = told;
  expect(metricValue(theirs, "mine_total")).toBe(4);
  expect(theirs).toContain("# TYPE mine_total counter");
  expect(theirs).not.toContain("clew_");
  expect(theirs).toContain("nodejs_eventloop_lag_stddev_seconds");
  expect(names).toContain("mine_total");
  expect(names).not.toContain("clew_");
  for (const text of [ours, plain]) expect(metricValue(text, "mine_total")).toBe(3);
  expect(plain).toContain("# TYPE mine_total counter");
});

test("a metric that fails takes no other with it", async () => {
  const [text, stats] = await run<[string, { faults: Record<string, number> }]>(`
    metrics.add({ name: "bad", get: async () => { throw new Error("bad"); } });
    show([await scrape(), instrumentationStats()]);
  `);
  expect(metricValue(text, "process_resident_memory_bytes")).toBeGreaterThan(0);
  expect(stats.faults).toEqual({ metrics: 1 });
});

test.each([
  ["http", "http.createServer(answer)"],
  [
    "https",
    `(await import("node:https")).createServer(${JSON.stringify(TEST_CERTIFICATE)}, answer)`,
  ],
])(
  "network bytes of %s: both sides, sent by fetch and by a client request, once each",
  async (protocol, server) => {
    const [before, after] = await run<[string, string]>(
      `
    const answer = (request, response) => {
      request.resume().on("end", () => response.end("x".repeat(1_000_000)));
    };
    const server = ${server}.listen(0);
    await once(server, "listening");
    const before = await metrics.text();
    const url = "${protocol}://localhost:" + server.address().port;
    await (await fetch(url, { method: "POST", body: "y".repeat(500_000) })).text();
    const { request } = await import("node:${protocol}");
    const sent = request(url, { method: "POST" }).end("y".repeat(500_000));
    const [response] = await once(sent, "response");
    await response.resume().toArray();
    show([before, await metrics.text()]);
    server.close();
    server.closeAllConnections();
  `,
      REGISTER,
      { NODE_EXTRA_CA_CERTS: certificateFile },
    );
    const grown = (name: string) => metricValue(after, name) - metricValue(before, name);
    const both = 3_000_000;
    for (const name of ["clew_network_received_bytes_total", "clew_network_sent_bytes_total"]) {
      expect(grown(name)).toBeGreaterThanOrEqual(both);
      expect(grown(name)).toBeLessThan(both * 1.1);
    }
  },
);

test("every garbage collection is counted, also several in one turn of the loop", async () => {
  const collections = 7;
  const text = await run<string>(
    `
    for (let i = 0; i < ${collections}; i++) global.gc();
    let text = "";
    const line = /^nodejs_gc_duration_seconds_count\\{kind="major"\\} (\\d+)/m;
    const count = () => Number(line.exec(text)?.[1]);
    while (!(count() >= ${collections})) text = await scrape();
    show(text);
  `,
    ["--expose-gc", ...REGISTER],
  );
  expect(text).toMatch(/^nodejs_gc_duration_seconds_bucket\{kind="major",le="\+Inf"\} \d+$/m);
});

test("event-loop lag is what the loop was late, not how often it is looked at", async () => {
  const text = await run<string>(`
    await until(() => metrics.address !== undefined);
    const late = () => {
      const end = performance.now() + 200;
      while (performance.now() < end);
    };
    let text = "";
    const max = () => Number(/^nodejs_eventloop_lag_max_seconds (\\S+)/m.exec(text)?.[1]);
    while (!(max() > 0.1)) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      late();
      await new Promise((resolve) => setTimeout(resolve, 50));
      text = await metrics.text();
    }
    show(text);
  `);
  expect(metricValue(text, "nodejs_eventloop_lag_min_seconds")).toBeLessThan(0.02);
  expect(metricValue(text, "nodejs_eventloop_lag_p99_seconds")).toBeGreaterThan(0.1);
});

test("worker threads: one with figures has its own /metrics, one without has none", async () => {
  const told = await run<{ main: string; busy: string; page: string; idle: string | null }>(`
    import { Worker } from "node:worker_threads";
    const inThread = (work) => new Promise((resolve, reject) => {
      const worker = new Worker(
        "import { parentPort } from 'node:worker_threads';" +
        "import { health, metrics } from '@clew/instrumentation';" + work,
        { eval: true, execArgv: [...process.execArgv.slice(0, -2), "--input-type=module"] },
      );
      worker.once("message", resolve);
      worker.once("error", reject);
    });
    const busy = await inThread(\`
      health.check("thread", async () => {});
      while (metrics.address === undefined) await new Promise((resolve) => setImmediate(resolve));
      await (await fetch("http://" + metrics.address + "/readyz")).text();
      parentPort.postMessage({ address: metrics.address, page: await metrics.text() });
    \`);
    const idle = await inThread(\`
      await new Promise((resolve) => setTimeout(resolve, 50));
      parentPort.postMessage({ address: metrics.address ?? null });
    \`);
    await until(() => metrics.address !== undefined);
    show({ main: metrics.address, busy: busy.address, page: busy.page, idle: idle.address });
  `);
  expect(told.busy).toMatch(/^127\.0\.0\.1:\d+$/);
  expect(told.busy).not.toBe(told.main);
  expect(told.idle).toBeNull();
  expect(metricValue(told.page, 'clew_health_check_up{check="thread"}')).toBe(1);
});

test("neither the server nor a scraper's open connection keeps the process alive", async () => {
  const end = await runApp({
    endpoint,
    code: `${TOOLS}
      const agent = new http.Agent({ keepAlive: true });
      await until(() => metrics.address !== undefined);
      const request = http.get("http://" + metrics.address + "/healthz", { agent });
      const [response] = await once(request, "response");
      response.resume();
      await once(response, "end");
      request.socket.unref();
      console.log("over");
    `,
  });
  expect(end).toMatchObject({ code: 0, stdout: "over\n" });
});
