import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type BackendsConfig, readBackendsConfig } from "../config.ts";
import { StackError } from "../errors.ts";
import { freePorts } from "./free-ports.ts";
import { KAFKA_FOLDER, kafkaJars } from "./kafka-jars.ts";
import { isKafkaReady } from "./kafka-probe.ts";
import { type KafkaNode, type KafkaSecurity, kafkaProperties } from "./kafka-properties.ts";
import { runProgram } from "./run-program.ts";

const FORMAT_DEADLINE_MS = 60_000;
const READY_DEADLINE_MS = 90_000;
const STOP_DEADLINE_MS = 10_000;
const PROBE_EVERY_MS = 50;
const TOLD_CHARACTERS_MAX = 2_000;
const RM_RETRIES_MAX = 3;

const JAVA_OPTIONS = [
  "-Xms32m",
  "-Xmx256m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-XX:+ExitOnOutOfMemoryError",
  "-Djava.net.preferIPv4Stack=true",
  "-Djava.awt.headless=true",
  `-Dlog4j2.configurationFile=${join(KAFKA_FOLDER, "log4j2.properties")}`,
];

export interface KafkaBrokerOptions {
  /** A second listener (`secureBrokers`) that makes these demands. */
  readonly security?: KafkaSecurity;
  /** Further server properties, as `message.max.bytes`. */
  readonly properties?: KafkaNode["properties"];
}

/**
 * A real Apache Kafka of one node, without Docker, on free ports of the loopback, with a data
 * folder of its own that `stop` deletes. Needs Linux, Java 17 or newer, and Maven the first time.
 */
export class KafkaBroker {
  /** Rejects where the broker ended without having been asked to. */
  readonly failed: Promise<never>;
  #options: KafkaBrokerOptions;
  readonly #config: BackendsConfig;
  readonly #failure = Promise.withResolvers<never>();
  #folder: string | undefined;
  #port = 0;
  #securePort = 0;
  #controllerPort = 0;
  #classPath = "";
  #process: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();

  constructor(options: KafkaBrokerOptions = {}, config: BackendsConfig = readBackendsConfig()) {
    this.#options = options;
    this.#config = config;
    this.failed = this.#failure.promise;
    // Whoever waits for it hears of it; nobody need wait.
    this.failed.catch(() => undefined);
  }

  get brokers(): readonly string[] {
    return [`127.0.0.1:${this.#port}`];
  }

  /** The listener that makes the demands of `security`. */
  get secureBrokers(): readonly string[] {
    return [`127.0.0.1:${this.#securePort}`];
  }

  /** @throws StackError BACKEND_UNAVAILABLE with the end of what Maven or the broker said. */
  async start(): Promise<void> {
    const jars = await kafkaJars(this.#config.cacheDir);
    const files = (await readdir(jars)).filter((file) => file.endsWith(".jar")).toSorted();
    this.#classPath = files.map((file) => join(jars, file)).join(":");
    const [port, controllerPort, securePort] = await freePorts(3);
    this.#port = port as number;
    this.#controllerPort = controllerPort as number;
    this.#securePort = securePort as number;
    this.#folder = await mkdtemp(join(tmpdir(), "clew-kafka-"));
    await this.#writeProperties(this.#folder);
    await this.#format(this.#folder);
    await this.restart();
  }

  /** Other options from the next `restart` on; SCRAM's accounts stay those of the start. */
  async configure(options: KafkaBrokerOptions): Promise<void> {
    if (!this.#folder) throw unavailable("it was not started before");
    this.#options = options;
    await this.#writeProperties(this.#folder);
  }

  /** As a machine that loses its power: no shutdown of any kind. */
  async crash(): Promise<void> {
    this.#signal("SIGKILL");
    await this.#exited;
  }

  /** After `crash`: the same data and ports. Resolves once clients are served again. */
  async restart(): Promise<void> {
    if (!this.#folder) throw unavailable("it was not started before");
    this.#spawn(this.#folder);
    const endMs = performance.now() + READY_DEADLINE_MS;
    while (!(await isKafkaReady(this.#port))) {
      if (!this.#process) throw unavailable(`it ended: ${await this.#lastOutput()}`);
      if (performance.now() > endMs) throw unavailable(`no answer: ${await this.#lastOutput()}`);
      await delay(PROBE_EVERY_MS);
    }
  }

  /** It holds its connections and answers nothing. */
  freeze(): void {
    this.#signal("SIGSTOP");
  }

  thaw(): void {
    this.#signal("SIGCONT");
  }

  async stop(): Promise<void> {
    const deadline = setTimeout(() => this.kill(), STOP_DEADLINE_MS);
    this.thaw();
    this.#signal("SIGTERM");
    await this.#exited;
    clearTimeout(deadline);
    if (!this.#folder) return;
    await rm(this.#folder, { recursive: true, force: true, maxRetries: RM_RETRIES_MAX });
    this.#folder = undefined;
  }

  /** At once; leaves the data folder behind. */
  kill(): void {
    this.#signal("SIGKILL");
  }

  #isAskedToEnd = false;

  #signal(signal: NodeJS.Signals): void {
    if (signal === "SIGKILL" || signal === "SIGTERM") this.#isAskedToEnd = true;
    this.#process?.kill(signal);
  }

  #spawn(folder: string): void {
    const log = openSync(join(folder, "broker.log"), "a");
    const java = [this.#config.javaProgram, ...JAVA_OPTIONS, "-cp", this.#classPath];
    // The kernel kills the broker when we are gone, however we went.
    const args = ["--pdeathsig", "KILL", ...java, "kafka.Kafka", join(folder, "server.properties")];
    const broker = spawn("setpriv", args, { stdio: ["ignore", log, log], detached: true });
    closeSync(log);
    this.#process = broker;
    this.#isAskedToEnd = false;
    this.#exited = new Promise((resolve) => {
      broker.once("error", (cause) => this.#failure.reject(unavailable(cause.message, cause)));
      broker.once("close", (code, signal) => {
        this.#process = undefined;
        if (!this.#isAskedToEnd) {
          this.#failure.reject(unavailable(`it ended with ${signal ?? `exit code ${code}`}`));
        }
        resolve();
      });
    });
  }

  async #writeProperties(folder: string): Promise<void> {
    const { security, properties } = this.#options;
    const text = kafkaProperties({
      port: this.#port,
      controllerPort: this.#controllerPort,
      dataDir: join(folder, "data"),
      ...(security && { secure: { ...security, port: this.#securePort } }),
      ...(properties && { properties }),
    });
    await writeFile(join(folder, "server.properties"), text);
  }

  async #format(folder: string): Promise<void> {
    const properties = join(folder, "server.properties");
    const tool = ["kafka.tools.StorageTool", "format", "--standalone"];
    await runProgram({
      program: this.#config.javaProgram,
      args: [
        ...[...JAVA_OPTIONS, "-cp", this.#classPath],
        ...[...tool, "-t", clusterId(), "-c", properties, ...this.#scramAccount()],
      ],
      deadlineMs: FORMAT_DEADLINE_MS,
    });
  }

  #scramAccount(): readonly string[] {
    const account = this.#options.security?.sasl;
    if (account === undefined || account.mechanism === "PLAIN") return [];
    const { mechanism, username, password } = account;
    return ["--add-scram", `${mechanism}=[name=${username},password=${password}]`];
  }

  async #lastOutput(): Promise<string> {
    const output = await readFile(join(this.#folder ?? "", "broker.log"), "utf8");
    return output.slice(-TOLD_CHARACTERS_MAX);
  }
}

/** 16 random bytes as base64url; the tool would read a leading dash as an option. */
function clusterId(): string {
  for (;;) {
    const id = randomBytes(16).toString("base64url");
    if (!id.startsWith("-")) return id;
  }
}

function unavailable(reason: string, cause?: unknown): StackError {
  return new StackError("BACKEND_UNAVAILABLE", `cannot run Kafka: ${reason}`, { cause });
}
