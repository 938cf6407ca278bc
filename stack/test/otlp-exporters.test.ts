/** OpenTelemetry's own exporters for other languages, told where to send by `OTEL_*` only. */
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { hasPrograms, type Requirement } from "../backends/required-programs.ts";
import { runProgram } from "../backends/run-program.ts";
import { holdAllBytes, metricOf, ONE_MIB_EACH } from "./held-bytes.ts";
import { type Language, type Sender, senderOf } from "./otlp-senders.ts";
import { RealCollector } from "./real-collector.ts";

const PAIRS = 25;
const TOKEN = "token-of-the-exporters";
const BUILD_MS = 900_000;
const SEND_MS = 60_000;
const TEST_MS = 120_000;
const TRANSACTION_ID = "basket-4711";

const REQUIRED: Readonly<Record<Language, Requirement>> = {
  Go: { command: ["go", "version"], toInstall: "Go" },
  Java: { command: ["javac", "-version"], toInstall: "a JDK of Java 17 or newer, and Maven" },
  Python: {
    command: ["python3", "-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"],
    toInstall: "python3 (3.10 or newer) and python3-venv",
  },
};
const LANGUAGES = Object.keys(REQUIRED) as readonly Language[];
const AVAILABLE = LANGUAGES.filter((language) =>
  hasPrograms(`OpenTelemetry's exporters for ${language}`, [REQUIRED[language]]),
);

let collector: RealCollector | undefined;
afterEach(async () => {
  await collector?.stop();
  collector = undefined;
});

describe.each(AVAILABLE)("OpenTelemetry's exporters for %s", (language) => {
  let sender: Sender;
  beforeAll(async () => {
    sender = await senderOf(language);
  }, BUILD_MS);

  describe.each(["http/protobuf", "grpc"])("over %s", (protocol) => {
    test("bring every log and span, with gzip and a token", { timeout: TEST_MS }, async () => {
      const started = await RealCollector.start({ CLEW_INGEST_TOKENS: TOKEN });
      collector = started;
      const { stderr } = await run(sender, { collector: started, protocol });
      await expectPairsOnce(started);
      // Java's and Python's do not tell their users of a partial success.
      if (language === "Go") expect(stderr).toContain("keeps no metrics");
    });

    test("come again after 503 and bring each once", { timeout: TEST_MS }, async () => {
      const started = await RealCollector.start({ CLEW_INGEST_TOKENS: TOKEN, ...ONE_MIB_EACH });
      collector = started;
      const full = await holdAllBytes(started, { Authorization: `Bearer ${TOKEN}` });
      const ended = run(sender, { collector: started, protocol });
      const refused = vi.waitFor(
        async () => expect(await metricOf(started, /"BUS_OVERLOADED"/)).toBeGreaterThan(0),
        SEND_MS,
      );
      await Promise.race([refused, ended]);
      await full.release();
      await Promise.all([refused, ended]);
      await expectPairsOnce(started);
    });
  });
});

function run(
  sender: Sender,
  { collector: { otlpUrl, otlpGrpcUrl }, protocol }: { collector: RealCollector; protocol: string },
): Promise<{ stderr: string }> {
  const settings = {
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_ENDPOINT: protocol === "grpc" ? otlpGrpcUrl : otlpUrl,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${TOKEN}`,
    OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
    OTEL_SERVICE_NAME: "somebody-elses",
  };
  const variables = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const args = [...variables, ...sender, TRANSACTION_ID, String(PAIRS)];
  return runProgram({ program: "env", args, deadlineMs: SEND_MS });
}

async function expectPairsOnce({ api }: RealCollector): Promise<void> {
  await vi.waitFor(async () => {
    const found = await api.findTransaction(TRANSACTION_ID);
    expect(found).toMatchObject({
      counts: { logs: PAIRS, spans: PAIRS },
      services: ["somebody-elses"],
    });
  }, SEND_MS);
  const numbers = Array.from({ length: PAIRS }, (_, i) => i);
  const wanted = numbers.flatMap((i) => [`log ${i}: größer als drei`, `span ${i}`]);
  const messages = (await api.recordsOf(TRANSACTION_ID)).map(({ message }) => message);
  expect(messages.toSorted()).toEqual(wanted.toSorted());
}
