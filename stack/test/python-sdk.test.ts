import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { pythonVenv } from "../backends/python-venv.ts";
import { hasPrograms } from "../backends/required-programs.ts";
import { runProgram } from "../backends/run-program.ts";
import { readBackendsConfig } from "../config.ts";
import { freshDataDir, LaunchedStack } from "./launched-stack.ts";
import { QueryApi } from "./query-api.ts";

const PYTHON_FOLDER = join(import.meta.dirname, "python");
const PYTHON = {
  command: ["python3", "-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"],
  toInstall: "python3 (3.10 or newer) and python3-venv",
} as const;
const FIRST_RUN_MS = 420_000;
const SEND_DEADLINE_MS = 60_000;
const TRANSACTION_ID = "basket-4711";

const toDispose: (() => unknown)[] = [];
afterEach(async () => {
  for (const dispose of toDispose.splice(0).toReversed()) await dispose();
});

describe.skipIf(!hasPrograms("the OpenTelemetry SDK for Python", [PYTHON]))("Python's SDK", () => {
  test("is found by its transaction_id attribute, and by its trace", {
    timeout: FIRST_RUN_MS,
  }, async () => {
    const python = await pythonVenv({
      requirementsFile: join(PYTHON_FOLDER, "requirements.txt"),
      cacheDir: readBackendsConfig().cacheDir,
    });
    const dataDir = freshDataDir();
    toDispose.push(dataDir.dispose);
    const stack = new LaunchedStack({ args: ["--no-demo", "--json"], dataDir: dataDir.path });
    toDispose.push(() => stack.dispose());
    const { port, otlpHttpPort } = await stack.waitFor("collector-ready");

    const { stdout } = await runProgram({
      program: python,
      args: [
        ...[join(PYTHON_FOLDER, "checkout.py"), `http://127.0.0.1:${otlpHttpPort}`],
        TRANSACTION_ID,
      ],
      deadlineMs: SEND_DEADLINE_MS,
    });
    const traceId = stdout.trim();
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);

    const api = new QueryApi(Number(port));
    await vi.waitFor(async () => {
      const records = await api.recordsOf(TRANSACTION_ID);
      expect(records.map(({ kind, message }) => [kind, message]).toSorted()).toEqual([
        ["log", "basket checked: größer als drei"],
        ["span", "checkout"],
      ]);
      const transaction = await api.findTransaction(TRANSACTION_ID);
      expect(transaction).toMatchObject({
        services: ["python-checkout"],
        traceIds: [traceId],
        counts: { logs: 1, spans: 1 },
      });
      const [untold] = (await api.logs()).filter(({ transactionId }) => transactionId === null);
      expect(untold).toMatchObject({ message: "nothing left on the shelf", traceId });
    }, 30_000);
  });
});
