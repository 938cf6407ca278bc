import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type BackendsConfig, readBackendsConfig } from "../config.ts";
import { StackError } from "../errors.ts";
import {
  basicSettings,
  type ElasticsearchAccount,
  giveAway,
  settingsFile,
  TLS_SETTINGS,
  writeElasticsearchFiles,
} from "./elasticsearch-files.ts";
import {
  type ElasticsearchMajor,
  elasticsearchHome,
  UNPRIVILEGED_ID,
} from "./elasticsearch-home.ts";
import { javaHome } from "./elasticsearch-java.ts";
import { isElasticsearchReady, readPublishedPort } from "./elasticsearch-probe.ts";
import { freezeProcess } from "./freeze-process.ts";

const READY_DEADLINE_MS = 180_000;
const STOP_DEADLINE_MS = 20_000;
const PROBE_EVERY_MS = 50;
const TOLD_CHARACTERS_MAX = 3_000;
const RM_RETRIES_MAX = 3;
const HEAP_MIB = 512;
const STACK_FRAME = "\tat ";
const OUTPUT_FILE = "output.log";
const PASSWORD_BYTES = 12;

export interface ElasticsearchOptions {
  /** 9 where nothing is said. */
  readonly major?: ElasticsearchMajor;
  /** The most that Java's heap takes; 512 where nothing is said. */
  readonly heapMiB?: number;
  /** Further lines of elasticsearch.yml, as `http.max_content_length`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** "tls": HTTPS with a certificate of its own authority (`ca`), and users with passwords. */
  readonly security?: "off" | "tls";
  /** Further users where security is on, each with the privileges that are named. */
  readonly accounts?: readonly ElasticsearchAccount[];
  /** "full" for measurements: Java compiles as in production. "quick" where nothing is said. */
  readonly compiler?: "quick" | "full";
}

/**
 * Starts a real Elasticsearch of one node on free ports; `stop` deletes its data. Needs Linux,
 * Maven the first time, Java 21 (17 for version 8). Resolves once it answers and takes writes.
 * @throws StackError BACKEND_UNAVAILABLE with the end of what it said; PROGRAM_MISSING.
 */
export async function startElasticsearch(
  options: ElasticsearchOptions = {},
  config: BackendsConfig = readBackendsConfig(),
): Promise<Elasticsearch> {
  const elasticsearch = new Elasticsearch(options, config);
  try {
    await elasticsearch.start();
    return elasticsearch;
  } catch (error) {
    await elasticsearch.stop();
    throw error;
  }
}

/** Made by `startElasticsearch`. */
export class Elasticsearch {
  /** A superuser of the file realm, where security is on. */
  readonly user = "clew-admin";
  readonly password = randomBytes(PASSWORD_BYTES).toString("base64url");
  readonly #options: ElasticsearchOptions;
  readonly #config: BackendsConfig;
  #settings: Readonly<Record<string, string>>;
  #folder: string | undefined;
  #home = "";
  #java = "";
  #port = 0;
  #pid = 0;
  #ca: string | undefined;
  #launcher: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #ending = "";

  constructor(options: ElasticsearchOptions, config: BackendsConfig) {
    this.#options = options;
    this.#config = config;
    this.#settings = options.settings ?? {};
  }

  /** The same after `restart`. */
  get url(): string {
    return `${this.#isSecure ? "https" : "http"}://127.0.0.1:${this.#port}`;
  }

  /** The authority's certificate in PEM; undefined where security is off. */
  get ca(): string | undefined {
    return this.#ca;
  }

  /** The file with `ca`, for configuration that wants a path. */
  get caFile(): string {
    return join(this.#folder ?? "", "config", "ca.pem");
  }

  /** Of the server itself, for signals and for figures of /proc. */
  get pid(): number {
    return this.#pid;
  }

  /** `authorization` where security is on, else nothing. */
  get headers(): Readonly<Record<string, string>> {
    if (!this.#isSecure) return {};
    const basic = Buffer.from(`${this.user}:${this.password}`).toString("base64");
    return { authorization: `Basic ${basic}` };
  }

  /** What it wrote since its last start. */
  async output(): Promise<string> {
    if (this.#folder === undefined) return "";
    return readFile(join(this.#folder, OUTPUT_FILE), "utf8");
  }

  async start(): Promise<void> {
    const { major = 9, heapMiB = HEAP_MIB, compiler = "quick", accounts = [] } = this.#options;
    this.#java = javaHome(major, this.#config);
    this.#home = await elasticsearchHome(this.#config.cacheDir, major);
    this.#folder = await mkdtemp(join(tmpdir(), "clew-elasticsearch-"));
    const { user: name, password } = this;
    const superuser = { name, password, roles: ["superuser"] };
    await writeElasticsearchFiles({
      ...{ home: this.#home, folder: this.#folder, heapMiB, compiler },
      accounts: this.#isSecure ? [superuser, ...accounts] : [],
    });
    if (this.#isSecure) this.#ca = await readFile(this.caFile, "utf8");
    await this.restart();
  }

  /** Other settings from the next `restart` on, in place of `options.settings`. */
  configure(settings: Readonly<Record<string, string>>): void {
    this.#settings = settings;
  }

  /**
   * On the same data and port; stops it first where it runs. Resolves once it takes writes.
   * @throws StackError BACKEND_UNAVAILABLE with the end of what it said.
   */
  async restart(): Promise<void> {
    if (this.#folder === undefined) throw unavailable("it was not started before");
    await this.#end();
    const settings = {
      ...basicSettings(this.#folder, this.#port),
      ...(this.#isSecure && TLS_SETTINGS),
      ...this.#settings,
    };
    await writeFile(join(this.#folder, "config", "elasticsearch.yml"), settingsFile(settings));
    await giveAway(this.#folder);
    this.#spawn(this.#folder);
    await this.#untilReady(settings["cluster.name"] ?? "");
    this.#pid = Number(await readFile(join(this.#folder, "tmp", "pid"), "utf8"));
  }

  /** As a machine that loses its power: no shutdown of any kind. */
  async crash(): Promise<void> {
    const pid = this.#pid;
    this.#killGroup();
    await this.#exited;
    await untilGone(pid);
  }

  /** It holds its connections and answers nothing. */
  freeze(): void {
    freezeProcess(this.#pid);
  }

  thaw(): void {
    process.kill(this.#pid, "SIGCONT");
  }

  /** Any signal to the server itself; to wait for its end: `crash`, `stop`. */
  kill(signal: NodeJS.Signals): void {
    process.kill(this.#pid, signal);
  }

  /** Ends it and deletes its data. */
  async stop(): Promise<void> {
    await this.#end();
    if (this.#folder === undefined) return;
    await rm(this.#folder, { recursive: true, force: true, maxRetries: RM_RETRIES_MAX });
    this.#folder = undefined;
  }

  get #isSecure(): boolean {
    return this.#options.security === "tls";
  }

  async #end(): Promise<void> {
    if (this.#launcher === undefined) return;
    const deadline = setTimeout(() => this.#killGroup(), STOP_DEADLINE_MS);
    const pid = this.#pid;
    if (pid === 0) {
      this.#launcher.kill("SIGTERM");
    } else {
      // The launcher ends with the server, but the server only some time after the launcher.
      this.thaw();
      this.kill("SIGTERM");
    }
    await this.#exited;
    clearTimeout(deadline);
    await untilGone(pid);
  }

  /** The launcher and the server, which is a child of it. */
  #killGroup(): void {
    if (this.#launcher?.pid !== undefined) process.kill(-this.#launcher.pid, "SIGKILL");
  }

  #spawn(folder: string): void {
    const log = openSync(join(folder, OUTPUT_FILE), "w");
    const isRoot = process.getuid?.() === 0;
    const id = UNPRIVILEGED_ID;
    const user = isRoot ? [`--reuid=${id}`, `--regid=${id}`, "--clear-groups"] : [];
    const program = [join(this.#home, "bin", "elasticsearch"), "-p", join(folder, "tmp", "pid")];
    // The launcher ends when we are gone, however we went, and takes the server with it.
    const launcher = spawn("setpriv", [...user, "--pdeathsig=TERM", "--", ...program], {
      stdio: ["ignore", log, log],
      detached: true,
      cwd: folder,
      env: {
        PATH: "/usr/local/bin:/usr/bin:/bin",
        LANG: "C.UTF-8",
        HOME: folder,
        ES_JAVA_HOME: this.#java,
        ES_PATH_CONF: join(folder, "config"),
        ES_TMPDIR: join(folder, "tmp"),
      },
    });
    closeSync(log);
    this.#launcher = launcher;
    this.#pid = 0;
    this.#exited = new Promise((resolve) => {
      const ended = (how: string) => {
        this.#launcher = undefined;
        this.#pid = 0;
        this.#ending = how;
        resolve();
      };
      launcher.once("error", (cause) => ended(cause.message));
      launcher.once("exit", (code, signal) => ended(String(signal ?? `exit code ${code}`)));
    });
  }

  async #untilReady(clusterName: string): Promise<void> {
    const endMs = performance.now() + READY_DEADLINE_MS;
    for (;;) {
      if (!this.#launcher) throw unavailable(`it ended (${this.#ending}): ${await this.#tail()}`);
      if (performance.now() > endMs) throw unavailable(`no answer: ${await this.#tail()}`);
      const port = readPublishedPort(await this.output());
      if (port !== undefined) {
        this.#port = port;
        const { url, headers, ca } = this;
        if (await isElasticsearchReady({ url, headers, ca, clusterName })) return;
      }
      await delay(PROBE_EVERY_MS);
    }
  }

  async #tail(): Promise<string> {
    const lines = (await this.output()).split("\n").filter((line) => !line.startsWith(STACK_FRAME));
    return lines.join("\n").slice(-TOLD_CHARACTERS_MAX);
  }
}

/** Until the process holds no file any more; one that nobody reaps counts as gone. */
async function untilGone(pid: number): Promise<void> {
  const endMs = performance.now() + STOP_DEADLINE_MS;
  while (pid !== 0 && (await isAlive(pid))) {
    if (performance.now() > endMs) throw unavailable(`process ${pid} does not end`);
    await delay(PROBE_EVERY_MS);
  }
}

async function isAlive(pid: number): Promise<boolean> {
  try {
    // After the program's name in brackets: the state, Z for a zombie.
    return !/\) Z [^)]*$/.test(await readFile(`/proc/${pid}/stat`, "latin1"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return false;
    throw error;
  }
}

function unavailable(reason: string): StackError {
  return new StackError("BACKEND_UNAVAILABLE", `cannot run Elasticsearch: ${reason}`);
}
