import { type Config, VARIABLE } from "../../config.ts";
import { ClewError } from "../../errors.ts";
import { type MetricRegistry, registerSyslogMetrics } from "../../metrics.ts";
import { NetworkList } from "../../network-list.ts";
import type { Intake } from "../intake.ts";
import { SyslogCounts } from "./syslog-counts.ts";
import { SyslogDoor } from "./syslog-door.ts";
import { SyslogQueue } from "./syslog-queue.ts";
import { SyslogTcp } from "./syslog-tcp.ts";
import { SyslogUdp } from "./syslog-udp.ts";

export interface SyslogReceiverOptions {
  readonly config: Pick<Config, "host" | "tls" | "transactionKeys" | "syslogNetworks"> & {
    /** 0: any that is free. */
    readonly syslogPort: number;
  };
  readonly intake: Pick<Intake, "open" | "take" | "refuse">;
  readonly registry: MetricRegistry;
  /** Unix time. */
  readonly nowNs: () => bigint;
  readonly report: (line: string) => void;
}

/** A free port for TCP may be another process's for UDP. */
const FREE_PORT_ATTEMPTS_MAX = 5;
/** For the bus to take what was read; a part of what the whole process may take to stop. */
const STOP_MS_MAX = 3000;

/** Syslog on one port, over TCP and UDP. */
export class SyslogReceiver {
  readonly #options: SyslogReceiverOptions;
  readonly #counts = new SyslogCounts();
  readonly #networks: NetworkList;
  readonly #queue: SyslogQueue;
  readonly #door: SyslogDoor;
  #tcp: SyslogTcp | undefined;
  #udp: SyslogUdp | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: SyslogReceiverOptions) {
    this.#options = options;
    const { config, intake, report, nowNs, registry } = options;
    const counts = this.#counts;
    this.#networks = new NetworkList(config.syslogNetworks);
    this.#queue = new SyslogQueue({
      intake,
      report,
      onRoom: () => this.#tcp?.resume(),
      onLost: (reason, records) => {
        counts.dropped[reason] += records;
      },
    });
    const { transactionKeys } = config;
    this.#door = new SyslogDoor({ queue: this.#queue, counts, transactionKeys, nowNs });
    registerSyslogMetrics(registry, async () => {
      await this.#udp?.countKernelDrops();
      return { ...counts, waitingBytes: this.#queue.bytes };
    });
  }

  /** @throws ClewError PORT_IN_USE, or CONFIG_INVALID where the address cannot be listened on. */
  async start(): Promise<{ port: number }> {
    const { syslogPort } = this.#options.config;
    for (let attempt = 1; ; attempt++) {
      const { port } = await this.#startTcp(syslogPort);
      try {
        await this.#startUdp(port);
        return { port };
      } catch (error) {
        await this.#tcp?.stop();
        if (syslogPort !== 0 || attempt === FREE_PORT_ATTEMPTS_MAX) throw error;
      }
    }
  }

  /** Resolves once everything that was read is durable, or counted and reported as lost. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    await Promise.all([this.#tcp?.stop(), this.#udp?.stop()]);
    await this.#queue.stop(STOP_MS_MAX);
    const { stop } = this.#counts.dropped;
    if (stop === 0) return;
    this.#options.report(`syslog: ${stop} messages were read and could not be kept before the end`);
  }

  async #startTcp(port: number): Promise<{ port: number }> {
    const { host, tls } = this.#options.config;
    const tcp = new SyslogTcp({
      address: { host, port, portVariable: VARIABLE.syslogPort },
      tls,
      networks: this.#networks,
      door: this.#door,
      queue: this.#queue,
      counts: this.#counts,
    });
    const started = await tcp.start();
    this.#tcp = tcp;
    return started;
  }

  async #startUdp(port: number): Promise<void> {
    const { config, report } = this.#options;
    const udp = new SyslogUdp({
      host: config.host,
      networks: this.#networks,
      door: this.#door,
      queue: this.#queue,
      counts: this.#counts,
      report,
    });
    try {
      await udp.start(port);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      const why = `UDP port ${port}: ${code}; set ${VARIABLE.syslogPort} to another`;
      const kind = code === "EADDRINUSE" ? "PORT_IN_USE" : "CONFIG_INVALID";
      throw new ClewError(kind, `cannot listen on ${config.host}, ${why}`, { cause });
    }
    this.#udp = udp;
  }
}
