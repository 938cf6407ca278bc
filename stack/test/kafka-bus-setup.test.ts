import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KAFKA_VARIABLE } from "../../collector/src/bus/kafka/config.ts";
import { freePorts } from "../backends/free-ports.ts";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { requireJava } from "../backends/required-programs.ts";

const PROGRAM = join(import.meta.dirname, "../../collector/bin/clew.js");
const FIRST_START_MS = 400_000;
const NO_ARGUMENTS: readonly string[] = [];

describe.skipIf(!requireJava("clew setup with a real Kafka"))("clew setup", () => {
  const account = { mechanism: "SCRAM-SHA-256", username: "clew", password: "correct" } as const;
  const kafka = new KafkaBroker({ security: { sasl: account } });
  let dataDir: string;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "clew-setup-"));
    await kafka.start();
  }, FIRST_START_MS);
  afterAll(async () => {
    await kafka.stop();
    await rm(dataDir, { recursive: true });
  });

  /** The program, with these variables beside those that keep it to itself. */
  async function clew(
    command: string,
    { args = NO_ARGUMENTS, env }: { args?: readonly string[]; env: Record<string, string> },
  ) {
    const child = spawn(process.execPath, [PROGRAM, command, ...args], {
      env: { PATH: process.env.PATH, CLEW_DATA_DIR: dataDir, CLEW_PORT: "0", ...env },
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    const [code] = (await once(child, "close")) as [number];
    return { code, stdout, lines: stderr.split("\n").filter((line) => line !== "") };
  }

  const plain = (prefix: string) => ({
    [KAFKA_VARIABLE.brokers]: kafka.brokers.join(),
    [KAFKA_VARIABLE.topicPrefix]: prefix,
  });

  test("makes the topics, says so, warns of what can be lost, and runs twice", async () => {
    const env = { ...plain("first"), [KAFKA_VARIABLE.partitions]: "4" };
    const first = await clew("setup", { env });
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/^Kafka, 1 broker$/m);
    const shape = "partitions 4, replicas 1, in sync at least 1";
    expect(first.stdout).toContain(
      `\n  created  first.logs          ${shape}, kept 7 d 0 h, messages to 1048588 bytes\n`,
    );
    expect(first.stdout).toMatch(/created {2}first\.dead-letters {2}partitions 1, .*kept 30 d 0 h/);
    expect(first.lines).toContain(
      "warning first.logs has replication factor 1, below 3: records can be lost with a broker",
    );
    expect(first.lines).toContain(
      "warning first.logs has min.insync.replicas 1, below 2: a 200 may rest on one broker alone",
    );
    const second = await clew("setup", { env: { ...env, [KAFKA_VARIABLE.partitions]: "9" } });
    expect(second.code).toBe(0);
    expect(second.stdout.match(/present/g)).toHaveLength(4);
    expect(second.lines).toContain("warning first.logs has 4 partitions, not 9: not changed");
  });

  test("says the same as one JSON object", async () => {
    const { code, stdout } = await clew("setup", { args: ["--json"], env: plain("json") });
    expect(code).toBe(0);
    const { kafka: told } = JSON.parse(stdout);
    expect(told).toMatchObject({ brokers: 1, warnings: expect.any(Array) });
    expect(told.topics[0]).toEqual({
      name: "json.logs",
      isNew: true,
      partitions: 6,
      replicas: 1,
      settings: {
        minInSyncReplicas: 1,
        maxMessageBytes: 1_048_588,
        retentionMs: 604_800_000,
        compression: "producer",
        isUncleanElectionOn: false,
      },
    });
  });

  test("tells a broker that is away from a wrong password and from too few brokers", async () => {
    const [port] = await freePorts(1);
    const brokers = { [KAFKA_VARIABLE.brokers]: `127.0.0.1:${port}` };
    const away = await clew("setup", { env: brokers });
    expect(away).toMatchObject({
      code: 1,
      lines: [expect.stringMatching(/^cannot set up Kafka: .*ECONNREFUSED/)],
    });
    const wrong = await clew("setup", { env: wrongPassword() });
    expect(wrong).toMatchObject({
      code: 1,
      lines: [expect.stringMatching(/^cannot set up Kafka: Kafka refuses .*SASL_PASSWORD: /)],
    });
    const tooMany = "allowed is at most 1, since Kafka has so many brokers";
    const env = { ...plain("many"), [KAFKA_VARIABLE.replicationFactor]: "3" };
    expect(await clew("setup", { env })).toMatchObject({
      code: 1,
      lines: [`${KAFKA_VARIABLE.replicationFactor}=3: ${tooMany}`],
    });
  });

  test("clew serve ends with one line and exit code 1 where the password is refused", async () => {
    const ports = {
      CLEW_OTLP_HTTP_PORT: "0",
      CLEW_OTLP_GRPC_PORT: "0",
      CLEW_JAEGER_PORT: "0",
    };
    const { code, lines } = await clew("serve", { env: { ...wrongPassword(), ...ports } });
    expect(code).toBe(1);
    expect(lines).toEqual([expect.stringMatching(/^cannot use Kafka: Kafka refuses .*PASSWORD: /)]);
  });

  test("clew config shows all of it but the password", async () => {
    const { stdout } = await clew("config", { args: ["--json"], env: wrongPassword() });
    expect(JSON.parse(stdout).kafka).toMatchObject({
      brokers: kafka.secureBrokers,
      sasl: { mechanism: "scram-sha-256", username: "clew", password: "(not shown)" },
    });
    const text = await clew("config", { env: wrongPassword() });
    expect(text.stdout).toContain("(not shown)");
    expect(text.stdout + stdout).not.toContain("not-this-one");
  });

  function wrongPassword(): Record<string, string> {
    return {
      [KAFKA_VARIABLE.brokers]: kafka.secureBrokers.join(),
      [KAFKA_VARIABLE.saslMechanism]: "scram-sha-256",
      [KAFKA_VARIABLE.saslUsername]: "clew",
      [KAFKA_VARIABLE.saslPassword]: "not-this-one",
    };
  }
});

test("without Kafka there is nothing to set up", async () => {
  const child = spawn(process.execPath, [PROGRAM, "setup"], { env: { PATH: process.env.PATH } });
  let stdout = "";
  child.stdout.on("data", (chunk) => (stdout += chunk));
  expect(await once(child, "close")).toEqual([0, null]);
  expect(stdout).toMatch(/^nothing to set up: bus and store are embedded/);
});
