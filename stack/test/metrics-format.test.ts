import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runApp } from "../../instrumentation/test/app-process.ts";
import { OtlpSink } from "../../instrumentation/test/otlp-sink.ts";
import { pythonVenv } from "../backends/python-venv.ts";
import { hasPrograms } from "../backends/required-programs.ts";
import { runProgram } from "../backends/run-program.ts";
import { readBackendsConfig } from "../config.ts";

const PYTHON_FOLDER = join(import.meta.dirname, "python");
const PYTHON = {
  command: ["python3", "-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"],
  toInstall: "python3 (3.10 or newer) and python3-venv",
} as const;
const FIRST_RUN_MS = 420_000;
const READ_DEADLINE_MS = 60_000;

interface Sample {
  readonly family: string;
  readonly type: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
  readonly exemplar: Readonly<Record<string, string>> | null;
}

/** Every kind of metric there is, with names and labels that are hard to write. */
const PROGRAM = String.raw`
  import http from "node:http";
  import { once } from "node:events";
  import prom from "prom-client";
  import CircuitBreaker from "opossum";
  import express from "express";
  import { health, metrics, transaction, watchBreaker } from "@clew/instrumentation";
  const app = express();
  app.get("/orders/:id", (request, response) => response.send("hello"));
  app.get("/missing/:id", (request, response) => response.sendStatus(404));
  const server = http.createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = "http://127.0.0.1:" + server.address().port;
  health.check("db \"main\"\\", async () => {});
  const pay = async () => { throw new Error("x"); };
  const breaker = watchBreaker(new CircuitBreaker(pay, { name: "pay" }));
  await breaker.fire().catch(() => {});
  metrics.add(
    new prom.Counter({ name: "orders_total", help: "a\nb \\ c", registers: [] }),
    new prom.Histogram({ name: "basket_size", help: "h", buckets: [1, 2, 50], registers: [] }),
  );
  const registry = await metrics.registry();
  new prom.Gauge({ name: "not_a_number", help: "h", registers: [registry] }).set(NaN);
  new prom.Summary({ name: "waits_seconds", help: "h", registers: [registry] }).observe(3);
  const id = "T-" + "x".repeat(62);
  await transaction.run(id, async () => {
    await (await fetch(url + "/orders/1")).text();
    await (await fetch(url + "/missing/1")).text();
  });
  await (await fetch("http://" + metrics.address + "/readyz")).text();
  global.gc();
  const shown = [/gc_duration_seconds_count/, /http_server.*"404"/, /clew_health_check_up\{/];
  for (let text = ""; !shown.every((line) => line.test(text)); ) text = await metrics.text();
  const get = async (accept) => {
    const response = await fetch("http://" + metrics.address + "/metrics", { headers: { accept } });
    return [response.headers.get("content-type"), await response.text()];
  };
  console.log(JSON.stringify([
    await get("application/openmetrics-text;version=1.0.0,text/plain;q=0.5"), await get("*/*"),
  ]));
  server.close();
  server.closeAllConnections();
`;

let sink: OtlpSink;
let endpoint: string;
let folder: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
  folder = mkdtempSync(join(tmpdir(), "clew-metrics-"));
});
afterEach(async () => {
  await sink.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function readWith(format: string, text: string): Promise<readonly Sample[]> {
  const program = await pythonVenv({
    requirementsFile: join(PYTHON_FOLDER, "metrics-requirements.txt"),
    cacheDir: readBackendsConfig().cacheDir,
  });
  const file = join(folder, format);
  writeFileSync(file, text);
  const args = [join(PYTHON_FOLDER, "read_metrics.py"), format, file];
  const { stdout } = await runProgram({ program, args, deadlineMs: READ_DEADLINE_MS });
  return JSON.parse(stdout) as Sample[];
}

/** What is open at the moment of a scrape differs from one to the next. */
function isLasting({ name }: Sample): boolean {
  return !name.startsWith("nodejs_active_");
}

function keyOf({ name, labels }: Sample): string {
  return `${name} ${JSON.stringify(Object.entries(labels).toSorted())}`;
}

describe.skipIf(!hasPrograms("OpenMetrics' reference parser", [PYTHON]))("scenario 22", () => {
  test("both formats of /metrics pass their reference parsers and say the same", {
    timeout: FIRST_RUN_MS,
  }, async () => {
    const args = ["--expose-gc", "--import", "@clew/instrumentation/register"];
    const code = PROGRAM;
    const end = await runApp({ code, endpoint, args: [...args, "--input-type=module"] });
    expect(end.stderr).toBe("");
    const answers = JSON.parse(end.stdout) as [[string, string], [string, string]];
    const [[openType, openText], [plainType, plainText]] = answers;
    expect(openType).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(plainType).toBe("text/plain; version=0.0.4; charset=utf-8");
    const open = (await readWith("openmetrics", openText)).filter(isLasting);
    const plain = (await readWith("prometheus", plainText)).filter(isLasting);
    expect(open.length).toBeGreaterThan(100);
    expect(plain.map(keyOf)).toEqual(open.map(keyOf));
    expect(plain.map(({ type }) => type)).toEqual(open.map(({ type }) => type));
    const names = new Set(open.map(({ name }) => name));
    expect([...names]).toEqual(
      expect.arrayContaining([
        ...["process_cpu_seconds_total", "process_resident_memory_bytes", "target_info"],
        ...["nodejs_heap_size_used_bytes", "nodejs_eventloop_lag_p99_seconds"],
        ...["nodejs_gc_duration_seconds_bucket", "clew_network_received_bytes_total"],
        ...["clew_health_check_up", "clew_breaker_state", "orders_total", "basket_size_bucket"],
      ]),
    );
    const taken = open.filter(({ name }) => name === "http_server_request_duration_seconds_count");
    expect(taken.map(({ labels }) => labels)).toEqual([
      {
        http_request_method: "GET",
        http_route: "/orders/:id",
        http_response_status_code: "200",
      },
      {
        http_request_method: "GET",
        http_route: "/missing/:id",
        http_response_status_code: "404",
      },
    ]);
    const exemplars = open.filter(
      ({ family, exemplar }) => exemplar !== null && family.startsWith("http_server"),
    );
    expect(new Set(exemplars.map(({ exemplar }) => exemplar?.transaction_id))).toEqual(
      new Set([`T-${"x".repeat(62)}`]),
    );
    expect(plain.filter(({ exemplar }) => exemplar !== null)).toEqual([]);
  });
});
