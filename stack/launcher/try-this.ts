import { setTimeout as delay } from "node:timers/promises";
import { VARIABLE } from "../config.ts";
import type { Announcer } from "./announcer.ts";
import type { ChildEvent } from "./child.ts";

const DECLINED = 402;
const POLL_MS = 50;
const INDEXED_DEADLINE_MS = 10_000;
const REQUEST_TIMEOUT_MS = 2_000;
const DEFAULT_PORT = 4320;
const DEFAULT_OTLP_HTTP_PORT = 4318;

export interface TryThisRequest {
  readonly announcer: Announcer;
  readonly port: number;
  readonly otlpHttpPort: number;
  /** Ends the asking whether a transaction can be found. */
  readonly signal: AbortSignal;
}

interface Command {
  /** Beginning with `npx clew`, or having it last in a pipe. */
  readonly command: string;
  readonly meaning: string;
}

/** Three commands that work when they are pasted into another terminal. */
export class TryThis {
  readonly #request: TryThisRequest;
  #isSaid = false;

  constructor(request: TryThisRequest) {
    this.#request = request;
  }

  withoutDemo(): void {
    this.#say([
      { command: 'echo "hello clew" | npx clew ship', meaning: "send a line" },
      { command: 'npx clew logs "hello"', meaning: "find it" },
      { command: "npx clew logs --follow", meaning: "watch what comes in" },
    ]);
  }

  /** The first declined order is the one worth looking at; it is named once it can be found. */
  noteOrder(order: ChildEvent): void {
    if (this.#isSaid || order.status !== DECLINED || typeof order.transactionId !== "string")
      return;
    this.#isSaid = true;
    void this.#sayOnceFound(order.transactionId);
  }

  async #sayOnceFound(transactionId: string): Promise<void> {
    if (!(await this.#isFound(transactionId))) return;
    this.#say([
      { command: `npx clew find ${transactionId}`, meaning: "an order whose card was declined" },
      { command: 'npx clew logs "card declined"', meaning: "all of these" },
      { command: "npx clew logs --follow", meaning: "watch what comes in" },
    ]);
  }

  /** Also true at the deadline: the commands are right, only the collector is behind. */
  async #isFound(transactionId: string): Promise<boolean> {
    const { port, signal } = this.#request;
    const url = `http://127.0.0.1:${port}/api/v1/transactions/${transactionId}`;
    const endMs = performance.now() + INDEXED_DEADLINE_MS;
    while (!signal.aborted && performance.now() < endMs) {
      if (await isThere(url)) return true;
      await delay(POLL_MS);
    }
    return !signal.aborted;
  }

  #say(commands: readonly Command[]): void {
    const ported = commands.map((item) => ({ ...item, command: this.#withPorts(item.command) }));
    const lines = ported.map(({ command, meaning }) => `  ${command}   # ${meaning}`);
    this.#request.announcer.say({
      event: "try-this",
      text: ["", "Try, in another terminal:", ...lines, "", "Ctrl-C ends everything."].join("\n"),
      data: { commands: ported.map(({ command }) => command) },
    });
  }

  /** Where ports are not the usual ones, each command says so itself. */
  #withPorts(command: string): string {
    const { port, otlpHttpPort } = this.#request;
    let variables = "";
    if (port !== DEFAULT_PORT) variables += `${VARIABLE.webPort}=${port} `;
    if (otlpHttpPort !== DEFAULT_OTLP_HTTP_PORT) {
      variables += `${VARIABLE.otlpHttpPort}=${otlpHttpPort} `;
    }
    return command.replace("npx clew", `${variables}npx clew`);
  }
}

async function isThere(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch (error) {
    // The collector may be on its way back; the deadline bounds the asking.
    if (error instanceof Error) return false;
    throw error;
  }
}
