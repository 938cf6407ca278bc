import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { KafkaBroker } from "../backends/kafka-broker.ts";
import { buildPage } from "../build.ts";
import { type LaunchConfig, readDemoConfig } from "../config.ts";
import { StackError } from "../errors.ts";
import type { Announcer } from "./announcer.ts";
import { Demo } from "./demo.ts";
import type { LaunchOptions } from "./launch-options.ts";
import { SupervisedCollector } from "./supervised-collector.ts";
import { TryThis } from "./try-this.ts";

export interface StackRequest {
  readonly options: LaunchOptions;
  readonly config: LaunchConfig;
  readonly announcer: Announcer;
}

/** Everything `npm start` starts, and the order in which it ends. */
export class Stack {
  readonly #request: StackRequest;
  readonly #stopping = new AbortController();
  readonly #failure = Promise.withResolvers<never>();
  #collector: SupervisedCollector | undefined;
  #kafka: KafkaBroker | undefined;
  #demo: Demo | undefined;

  constructor(request: StackRequest) {
    this.#request = request;
    // Whoever waits for it hears of it; nobody need wait.
    this.#failure.promise.catch(() => undefined);
  }

  /** Rejects where something that should run on is gone. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  async start(): Promise<void> {
    const { options, config, announcer } = this.#request;
    const logFolder = join(config.dataDir, "logs");
    mkdirSync(logFolder, { recursive: true });
    this.#buildPage();
    const env = config.inherited;
    this.#collector = new SupervisedCollector({ env, logFolder, announcer });
    this.#watch(this.#collector.failed);
    const address = await this.#collector.start();
    const pageUrl = `http://127.0.0.1:${address.port}`;
    const otlpUrl = `http://127.0.0.1:${address.otlpHttpPort}`;
    announcer.say({
      event: "collector-ready",
      text: `Clew is at ${pageUrl} and takes OTLP at ${otlpUrl}`,
      data: { ...address },
    });
    const tryThis = new TryThis({ announcer, ...address, signal: this.#stopping.signal });
    if (!options.demo) return tryThis.withoutDemo();
    const kafkaBrokers = options.kafka ? await this.#startKafka(logFolder) : [];
    this.#refuseWhenStopping();
    this.#demo = new Demo({
      config: readDemoConfig(config.inherited),
      env,
      logFolder,
      dataDir: config.dataDir,
      announcer,
      otlpUrl,
      kafkaBrokers,
      onOrder: (order) => tryThis.noteOrder(order),
    });
    this.#watch(this.#demo.failed);
    await this.#startDemo(this.#demo);
  }

  /**
   * Customers, services, broker, collector: each ends when nobody sends to it any more, so that
   * all it holds has somewhere to go. Answers the names of those that had to be killed.
   */
  async stop(): Promise<readonly string[]> {
    this.#stopping.abort();
    const killed = [...((await this.#demo?.stop()) ?? [])];
    await this.#kafka?.stop();
    if ((await this.#collector?.stop()) === false) killed.push("collector");
    return killed;
  }

  /** At once. */
  kill(): void {
    this.#stopping.abort();
    this.#demo?.kill();
    this.#kafka?.kill();
    this.#collector?.kill();
  }

  async #startDemo(demo: Demo): Promise<void> {
    const { announcer, options } = this.#request;
    const ports = await demo.startServices();
    this.#refuseWhenStopping();
    const ordersUrl = `http://127.0.0.1:${ports.ordersPort}/orders`;
    announcer.say({
      event: "demo-ready",
      text: `The demo takes orders at ${ordersUrl}; orders calls payments and shipping`,
      data: { ...ports, pids: demo.pids },
    });
    if (options.load) await demo.startCustomers(ports.ordersPort);
  }

  async #startKafka(logFolder: string): Promise<readonly string[]> {
    const { announcer } = this.#request;
    announcer.say({ event: "kafka-starting", text: "Kafka is starting for the demo" });
    const { KafkaBroker } = await import("../backends/kafka-broker.ts");
    this.#refuseWhenStopping();
    this.#kafka = new KafkaBroker();
    await this.#kafka.start();
    this.#watch(this.#kafka.failed);
    const { brokers } = this.#kafka;
    announcer.say({
      event: "kafka-ready",
      text: `Kafka is at ${brokers.join(",")}`,
      data: { brokers, logFolder },
    });
    return brokers;
  }

  /** Beside everything else: the collector serves the page once it is there. */
  #buildPage(): void {
    const { announcer } = this.#request;
    buildPage(this.#stopping.signal).then(
      ({ isBuilt, durationMs }) => {
        if (!isBuilt) return;
        const text = `The page was built in ${(durationMs / 1000).toFixed(1)} s`;
        announcer.say({ event: "page-built", text, data: { durationMs } });
      },
      (error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#failure.reject(error);
      },
    );
  }

  #watch(failed: Promise<never>): void {
    failed.catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) this.#failure.reject(error);
    });
  }

  #refuseWhenStopping(): void {
    if (!this.#stopping.signal.aborted) return;
    throw new StackError("PROCESS_DIED", "cannot go on starting: the launcher is ending");
  }
}
