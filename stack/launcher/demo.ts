import { join } from "node:path";
import { type DemoConfig, type Environment, type PortVariable, VARIABLE } from "../config.ts";
import { StackError } from "../errors.ts";
import type { Announcer } from "./announcer.ts";
import { Child, type ChildEvent } from "./child.ts";

export interface DemoRequest {
  readonly config: DemoConfig;
  readonly env: Environment;
  readonly logFolder: string;
  readonly dataDir: string;
  readonly announcer: Announcer;
  /** Base URL of the collector's OTLP receiver. */
  readonly otlpUrl: string;
  readonly kafkaBrokers: readonly string[];
  readonly onOrder: (order: ChildEvent) => void;
}

const DEMO_FOLDER = join(import.meta.dirname, "..", "demo");
const CUSTOMERS = "customers";
const ORDERS_PER_SECOND = 2;
const ORDERS_MAX = 2_000;

/** The three services and the customers, each a process of its own. */
export class Demo {
  /** Rejects where one of them ended without having been asked to. */
  readonly failed: Promise<never>;
  readonly #request: DemoRequest;
  readonly #failure = Promise.withResolvers<never>();
  readonly #children = new Map<string, Child>();

  constructor(request: DemoRequest) {
    this.#request = request;
    this.failed = this.#failure.promise;
    // Whoever waits for it hears of it; nobody need wait.
    this.failed.catch(() => undefined);
  }

  /** Answers the ports of the services. */
  async startServices(): Promise<Readonly<Record<PortVariable, number>>> {
    const { config } = this.#request;
    const [paymentsPort, shippingPort] = await Promise.all([
      this.#startService("payments", { [VARIABLE.paymentsPort]: String(config.paymentsPort) }),
      this.#startService("shipping", { [VARIABLE.shippingPort]: String(config.shippingPort) }),
    ]);
    const ordersPort = await this.#startService("orders", {
      [VARIABLE.ordersPort]: String(config.ordersPort),
      [VARIABLE.paymentsUrl]: `http://127.0.0.1:${paymentsPort}`,
      [VARIABLE.shippingUrl]: `http://127.0.0.1:${shippingPort}`,
    });
    return { ordersPort, paymentsPort, shippingPort };
  }

  get pids(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#children].map(([name, child]) => [name, child.pid]));
  }

  async startCustomers(ordersPort: number): Promise<void> {
    const { announcer, env, onOrder } = this.#request;
    const url = `http://127.0.0.1:${ordersPort}`;
    const load = ["--url", url, "--rate", `${ORDERS_PER_SECOND}`, "--total", `${ORDERS_MAX}`];
    const customers = this.#spawn({
      name: CUSTOMERS,
      args: [join(DEMO_FOLDER, "customers.ts"), ...load],
      env,
      onEvent: (event) => {
        if (event.event === "order") onOrder(event);
        else if (event.event === "done" && event.sent === ORDERS_MAX) {
          const text = `the customers are done: ${ORDERS_MAX} orders; npm start again for more`;
          announcer.say({ event: "customers-done", text });
        }
      },
    });
    await customers.ready();
  }

  /**
   * Ends the customers first, then `orders`, then those it calls: nobody is left calling a service
   * that is gone. Answers the names of those that had to be killed.
   */
  async stop(): Promise<readonly string[]> {
    const killed: string[] = [];
    for (const names of [[CUSTOMERS], ["orders"], ["payments", "shipping"]]) {
      const stops = names.map(async (name) => {
        if ((await this.#children.get(name)?.stop()) === false) killed.push(name);
      });
      await Promise.all(stops);
    }
    return killed;
  }

  kill(): void {
    for (const child of this.#children.values()) child.kill();
  }

  async #startService(name: string, variables: Environment): Promise<number> {
    const { env, otlpUrl, kafkaBrokers } = this.#request;
    const child = this.#spawn({
      name,
      args: ["--import", "@clew/instrumentation/register", join(DEMO_FOLDER, `${name}.ts`)],
      env: {
        ...env,
        ...variables,
        [VARIABLE.kafkaBrokers]: kafkaBrokers.join(","),
        OTEL_SERVICE_NAME: name,
        OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl,
        // With the collector's data: another start of another demo has nothing to do with it.
        [VARIABLE.spoolDir]: join(this.#request.dataDir, "spool"),
        [VARIABLE.metricsPort]: "0",
      },
    });
    return Number((await child.ready()).port);
  }

  #spawn(request: {
    name: string;
    args: readonly string[];
    env: Environment;
    onEvent?: (event: ChildEvent) => void;
  }): Child {
    const { name } = request;
    const logFile = join(this.#request.logFolder, `${name}.log`);
    const child = new Child({
      ...request,
      logFile,
      // What a service logs is for Clew to show; what the instrumentation says of itself is told.
      onErrorLine: (line) => {
        if (line.startsWith("clew: ")) this.#request.announcer.relay({ name, line, logFile });
      },
    });
    this.#children.set(name, child);
    void child.exited.then(({ code, signal }) => {
      const isDone = name === CUSTOMERS && code === 0;
      if (isDone || !child.isExpectedToRun) return;
      const why = signal ?? `exit code ${code}`;
      const message = `cannot keep the demo running: ${name} died (${why}), see ${logFile}`;
      this.#failure.reject(new StackError("PROCESS_DIED", message));
    });
    return child;
  }
}
