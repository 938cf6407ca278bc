import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { runApp } from "../../instrumentation/test/app-process.ts";
import { RealCollector } from "./real-collector.ts";

const DEADLINE_MS = 30_000;

let collector: RealCollector;

beforeAll(async () => {
  collector = await RealCollector.start();
}, DEADLINE_MS);
afterAll(() => collector.stop());

const PROGRAM = `
  import bunyan from "bunyan";
  import pino from "pino";
  import winston from "winston";
  import { transaction } from "@clew/instrumentation";
  const log = winston.createLogger({
    format: winston.format.combine(winston.format.errors({ stack: true }), winston.format.json()),
    transports: [new winston.transports.Console()],
  });
  const old = bunyan.createLogger({ name: "old" });
  transaction.run("T-loggers", () => {
    const error = new RangeError("declined", { cause: new Error("card 4111 1111 1111 1111") });
    pino().warn({ order: 7, password: "hunter2" }, "by pino");
    log.warn("by winston", { order: 7, apiKey: "hunter2" });
    old.warn({ order: 7, headers: { authorization: "Bearer hunter2" } }, "by bunyan");
    console.warn("by the console, token=hunter2", { order: 7 });
    pino().error(error);
    log.error(error);
    old.error(error);
    console.error(error);
  });
`;

test(
  "11 and 16: lines of four loggers are one transaction, with errors and without secrets",
  async () => {
    const { stdout, stderr } = await runApp({ code: PROGRAM, endpoint: collector.otlpUrl });
    expect(stderr).not.toContain("clew:");
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(6);
    for (const line of lines) expect(JSON.parse(line).transaction_id).toBe("T-loggers");

    const records = await vi.waitFor(async () => {
      const found = await collector.api.recordsOf("T-loggers");
      expect(found).toHaveLength(8);
      return found;
    }, DEADLINE_MS);
    expect(records.map((record) => record.message).slice(0, 3)).toEqual([
      ...["by pino", "by winston", "by bunyan"],
    ]);
    expect(records[3]?.message).toContain("by the console, token=[redacted]");
    for (const { attributes } of records.slice(0, 3))
      expect(attributes).toMatchObject({ order: 7 });
    for (const { attributes } of records.slice(4)) {
      expect(attributes["exception.type"]).toBe("RangeError");
      expect(attributes["exception.message"]).toContain("declined");
      expect(attributes["exception.stacktrace"]).toMatch(
        /RangeError: declined[\s\S]*card \[redacted\]/,
      );
    }
    expect(JSON.stringify(records)).not.toMatch(/hunter2|4111 1111/);
  },
  DEADLINE_MS,
);
