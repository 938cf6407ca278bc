import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createHostFilter } from "../http/host-filter.ts";
import { patchKafka } from "../kafka/instrument-kafka.ts";
import { patchBunyan } from "../logging/bunyan-logs.ts";
import { type PinoMessage, stampPinoLine, unstampPinoLine } from "../logging/pino-stamp.ts";
import { patchWinston } from "../logging/winston-logs.ts";
import { running } from "../running.ts";
import { guard, type Hook } from "../stats.ts";
import type { CorrelationConfig } from "./config.ts";
import { takeClientRequest } from "./http-client-ids.ts";
import { takeServerRequest } from "./http-server-ids.ts";
import { takeUndiciRequest } from "./undici-ids.ts";

/**
 * Gives every request its transaction ID, passes it on, and stamps it into pino's lines. Nothing
 * is recorded or sent, and no timer, file or thread is used. Called again, or where everything is
 * instrumented already, it does nothing.
 */
export function startCorrelation(config: CorrelationConfig): void {
  const isRunning = running.isEverything || running.stopCorrelation !== undefined;
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
    listen("tracing:pino_asJson:start", "pino-logs", (message) =>
      stampPinoLine(message as PinoMessage),
    ),
    listen("tracing:pino_asJson:end", "pino-logs", (message) =>
      unstampPinoLine(message as PinoMessage),
    ),
  ];
  // These stay: with nobody to record for they only carry IDs.
  patchKafka();
  patchWinston();
  patchBunyan();
  running.stopCorrelation = () => {
    for (const stop of stops) stop();
  };
}

/** Steps back, because everything is instrumented now. Also that of another copy. */
export function stopCorrelation(): void {
  running.stopCorrelation?.();
  running.stopCorrelation = undefined;
}

/** @returns what ends it */
function listen(channel: string, hook: Hook, take: (message: unknown) => void): () => void {
  const listener = guard(hook, take);
  subscribe(channel, listener);
  return () => {
    unsubscribe(channel, listener);
  };
}
