/** OpenTelemetry's own load generator: every record that it says it sent is in the store. */
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { hasPrograms } from "../backends/required-programs.ts";
import { runProgram } from "../backends/run-program.ts";
import { readBackendsConfig } from "../config.ts";
import { goPrograms } from "./otlp-senders.ts";
import { RealCollector } from "./real-collector.ts";

const GO = { command: ["go", "version"], toInstall: "Go" } as const;
const BUILD_MS = 900_000;
const SEND_MS = 60_000;
const WORKERS = 2;
const LOGS_EACH = 2000;
/** It drops spans of its own where more than 2048 wait in its queue. */
const TRACES_EACH = 300;
/** Each trace is a span with this many children. */
const CHILD_SPANS = 2;
const TOKEN = "token-of-telemetrygen";

let collector: RealCollector | undefined;
afterEach(async () => {
  await collector?.stop();
  collector = undefined;
});

describe.skipIf(!hasPrograms("telemetrygen", [GO]))("telemetrygen", () => {
  let program: string;
  beforeAll(async () => {
    program = join(await goPrograms(readBackendsConfig().cacheDir), "telemetrygen");
  }, BUILD_MS);

  test.each([
    ["HTTP", "logs", { logs: WORKERS * LOGS_EACH, spans: 0 }],
    ["HTTP", "traces", { logs: 0, spans: WORKERS * TRACES_EACH * (1 + CHILD_SPANS) }],
    ["gRPC", "logs", { logs: WORKERS * LOGS_EACH, spans: 0 }],
    ["gRPC", "traces", { logs: 0, spans: WORKERS * TRACES_EACH * (1 + CHILD_SPANS) }],
  ])("over %s: all its %s are stored", { timeout: 2 * SEND_MS }, async (way, signal, wanted) => {
    const started = await RealCollector.start({ CLEW_INGEST_TOKENS: TOKEN });
    collector = started;
    const isHttp = way === "HTTP";
    const each = signal === "logs" ? LOGS_EACH : TRACES_EACH;
    const { host } = new URL(isHttp ? started.otlpUrl : started.otlpGrpcUrl);
    await runProgram({
      program,
      args: [
        ...[signal, "--rate", "0", `--${signal}`, String(each), "--workers", String(WORKERS)],
        ...(signal === "traces" ? ["--child-spans", String(CHILD_SPANS)] : []),
        ...["--otlp-insecure", "--otlp-endpoint", host, ...(isHttp ? ["--otlp-http"] : [])],
        ...["--otlp-header", `authorization="Bearer ${TOKEN}"`, "--service", "generated"],
      ],
      deadlineMs: SEND_MS,
    });
    await vi.waitFor(async () => {
      const response = await fetch(`${started.queryUrl}/api/v1/services`);
      const { services } = (await response.json()) as { services: readonly object[] };
      expect(services).toEqual([expect.objectContaining({ service: "generated", ...wanted })]);
    }, SEND_MS);
  });
});
