import { flushCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";
import type { Collector } from "../collector.ts";
import { type Config, ROLES, readConfig, shareCompileCache } from "../config.ts";
import type { Terminal } from "./terminal.ts";
import { parseCommandLine } from "./usage-error.ts";

/** Every part has a bound of its own; this one is for what nobody thought of. */
const STOP_MS_MAX = 14_000;
const COMPILE_CACHE_FLUSH_MS = 5000;
const EXIT_INTERRUPTED = 130;
const EXIT_STUCK = 1;

/**
 * `clew serve`: the collector until SIGINT or SIGTERM, then exit code 0 with everything in order.
 * Programs read stdout, one JSON object per line: `ready` (with the ports in use), `stopping`,
 * `stopped`. Warnings are lines on stderr.
 */
export async function serve(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = parseCommandLine({
    command: "serve",
    args,
    positionalsMax: 0,
    options: { json: { type: "boolean" } },
  });
  const config = readConfig();
  if (config.kafka !== undefined) letHeapGrow();
  const stop = Promise.withResolvers<string>();
  const onSignal = (signal: string) => stop.resolve(signal);
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  const voice = new Voice(terminal, values.json === true || !terminal.isInteractive);
  shareCompileCache();
  const { startCollector } = await import("../collector.ts");
  const collector = await startCollector(config, { report: (line) => terminal.note(line) });
  voice.ready(config, collector);
  // A process that is killed keeps nothing; the next start shall be quick all the same.
  setTimeout(flushCompileCache, COMPILE_CACHE_FLUSH_MS).unref();
  const signal = await stop.promise;
  process.once("SIGINT", () => process.exit(EXIT_INTERRUPTED));
  process.once("SIGTERM", () => process.exit(EXIT_INTERRUPTED));
  voice.stopping(signal);
  await stopInTime(collector, terminal);
  voice.stopped();
  return 0;
}

/**
 * The heap is small and the buffers of requests are large, and V8 counts both: it would mark all of
 * it every 25 requests. With this a log costs a quarter less CPU, 1.6 against 2.1 s per million,
 * for 30 MiB more (`npm run bench -- receive`).
 */
export function letHeapGrow(): void {
  setFlagsFromString("--heap-growing-percent=300");
}

/** What the process says of itself: sentences for a person, JSON lines for a program. */
class Voice {
  readonly #terminal: Terminal;
  readonly #isJson: boolean;

  constructor(terminal: Terminal, isJson: boolean) {
    this.#terminal = terminal;
    this.#isJson = isJson;
  }

  ready(config: Config, collector: Collector): void {
    const { port, otlpHttpPort, otlpGrpcPort, syslogPort, jaegerPort } = collector.ports;
    const host = config.host.includes(":") ? `[${config.host}]` : config.host;
    const scheme = config.tls === undefined ? "http" : "https";
    const urlOf = (door?: number) => (door === undefined ? door : `${scheme}://${host}:${door}`);
    const pageUrl = `${scheme}://${host}:${port}`;
    const otlpUrl = urlOf(otlpHttpPort);
    const grpcUrl = urlOf(otlpGrpcPort);
    const syslog = syslogPort === undefined ? undefined : `${host}:${syslogPort}, TCP and UDP`;
    const ports = { port, otlpHttpPort, otlpGrpcPort, syslogPort, jaegerPort };
    const { dataDir, roles } = config;
    const data = { ...ports, pageUrl, otlpUrl, grpcUrl, dataDir, roles, pid: process.pid };
    const hasQuery = roles.includes("query");
    const lines = [
      this.#terminal.colour("bold", "Clew is ready"),
      ...this.#line("roles", roles.length < ROLES.length ? roles.join(", ") : undefined),
      ...this.#line(hasQuery ? "web page" : "probes", pageUrl, "cyan"),
      ...this.#line("OTLP/HTTP", otlpUrl, "cyan"),
      ...this.#line("OTLP/gRPC", grpcUrl, "cyan"),
      ...this.#line("syslog", syslog),
      ...this.#line("for Jaeger", jaegerPort === undefined ? undefined : `${host}:${jaegerPort}`),
      ...this.#line("bus", config.kafka && `Kafka, ${config.kafka.brokers.join(", ")}`),
      ...this.#line("store", config.elasticsearch?.urls.join(", ")),
      ...this.#line("data", config.kafka && config.elasticsearch ? undefined : dataDir),
      this.#terminal.colour("dim", "  Ctrl-C ends it, and loses nothing"),
    ];
    this.#say({ event: "ready", data, text: lines.join("\n") });
  }

  stopping(reason: string): void {
    this.#say({ event: "stopping", data: { reason }, text: "stopping: finishing what was taken" });
  }

  stopped(): void {
    this.#say({ event: "stopped", data: {}, text: "stopped" });
  }

  /** None where there is nothing to say. */
  #line(label: string, text: string | undefined, colour?: "cyan"): readonly string[] {
    const { colour: paint } = this.#terminal;
    if (text === undefined) return [];
    return [`  ${paint("dim", label.padEnd(12))}${colour ? paint(colour, text) : text}`];
  }

  /** Programs find events by their first member, before they parse a line. */
  #say({ event, data, text }: { event: string; data: object; text: string }): void {
    const time = new Date().toISOString();
    this.#terminal.print(this.#isJson ? JSON.stringify({ event, time, ...data }) : text);
  }
}

async function stopInTime(collector: Collector, terminal: Terminal): Promise<void> {
  const timer = setTimeout(() => {
    // What was acknowledged is durable in the bus; the next start goes on with it.
    terminal.note(`cannot stop in order: not done within ${STOP_MS_MAX} ms; nothing is lost`);
    process.exit(EXIT_STUCK);
  }, STOP_MS_MAX);
  await collector.stop();
  clearTimeout(timer);
}
