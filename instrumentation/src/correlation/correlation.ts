import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createHostFilter } from "../http/host-filter.ts";
import { patchKafka } from "../kafka/instrument-kafka.ts";
import { patchBunyan } from "../logging/bunyan-logs.ts";
import { patchWinston } from "../logging/winston-logs.ts";
import { guard, type Hook } from "../stats.ts";
import type { CorrelationConfig } from "./config.ts";
import { takeClientRequest } from "./http-client-ids.ts";
import { takeServerRequest } from "./http-server-ids.ts";
import { stampPinoLine, unstampPinoLine } from "./pino-stamp.ts";
import { takeUndiciRequest } from "./undici-ids.ts";

/** Everything and IDs only, in one process, in any order, out of any copy: each ID once. */
const EVERYTHING_KEY = Symbol.for("clew.instrumentation.started");
const STOP_KEY = Symbol.for("clew.correlation.stop");
const shared = globalThis as { [EVERYTHING_KEY]?: boolean; [STOP_KEY]?: (() => void) | undefined };

/**
 * Gives every request its transaction ID, passes it on, and stamps it into pino's lines. Nothing
 * is recorded or sent, and no timer, file or thread is used. Called again, or where everything is
 * instrumented already, it does nothing.
 */
export function startCorrelation(config: CorrelationConfig): void {
  const isRunning = shared[EVERYTHING_KEY] === true || shared[STOP_KEY] !== undefined;
  if (config.disabled || isRunning) return;
  for (const warning of config.warnings) process.stderr.write(`clew: ${warning}\n`);
  const isAllowedHost = createHostFilter(config.outboundHosts);
  const { trustInbound } = config;
  const stops = [
    listen("http.server.request.start", "http-server", (message) =>
      takeServerRequest(message, trustInbound),
    ),
    listen("http.client.request.created", "http-client", (message) =>
      takeClientRequest(message, isAllowedHost),
    ),
    listen("undici:request:create", "undici-client", (message) =>
      takeUndiciRequest(message, isAllowedHost),
    ),
    listen("tracing:pino_asJson:start", "pino-logs", stampPinoLine),
    listen("tracing:pino_asJson:end", "pino-logs", unstampPinoLine),
  ];
  // These stay: with nobody to record for they only carry IDs.
  patchKafka();
  patchWinston();
  patchBunyan();
  shared[STOP_KEY] = () => {
    for (const stop of stops) stop();
  };
}

/** Steps back, because everything is instrumented now. Also that of another copy. */
export function stopCorrelation(): void {
  shared[STOP_KEY]?.();
  shared[STOP_KEY] = undefined;
}

/** @returns what ends it */
function listen(channel: string, hook: Hook, take: (message: unknown) => void): () => void {
  const listener = guard(hook, take);
  subscribe(channel, listener);
  return () => {
    unsubscribe(channel, listener);
  };
}
