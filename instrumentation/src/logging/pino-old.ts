import { tracingChannel } from "node:diagnostics_channel";
import { patchModules } from "../loading/module-hooks.ts";

type AsJson = (this: unknown, ...args: unknown[]) => unknown;

/** The copies of pino's `asJson` that publish what pino's own did not. */
const publishing = new WeakSet<object>();
let isPatchedSinceLastPino = false;

/**
 * Gives pinos before 9.10 the diagnostics channel that later ones have. Possible only while pino is
 * being loaded: a pino that is loaded already is named on stderr, once.
 */
export function patchOldPino(report: (message: string) => void): void {
  let isReported = false;
  patchModules([
    { package: "pino", file: "lib/tools.js", patch: publishAsJson },
    {
      package: "pino",
      file: "pino.js",
      patch: (exports) => {
        const version = versionOf(exports);
        const isListenedTo = isPatchedSinceLastPino || version === undefined || hasChannel(version);
        isPatchedSinceLastPino = false;
        if (isListenedTo || isReported) return;
        isReported = true;
        report(
          `pino ${version} was loaded before @clew/instrumentation/register and has no ` +
            "diagnostics channel: its lines are not recorded. Load register first, with " +
            "node --import, or use pino 9.10 or later",
        );
      },
    },
  ]);
}

/** pino.js takes `asJson` out of this module while it is loaded, so that changing it is enough. */
function publishAsJson(exports: unknown): void {
  if (typeof exports !== "object" || exports === null) return;
  const original: unknown = Reflect.get(exports, "asJson");
  if (typeof original !== "function" || publishing.has(original)) return;
  if (/tracingChannel|asJsonChan|traceSync/.test(Function.prototype.toString.call(original)))
    return;
  const channel = tracingChannel("pino_asJson");
  const asJson: AsJson = function (...args) {
    if (!channel.hasSubscribers) return original.apply(this, args);
    const line = { instance: this, arguments: args };
    return channel.traceSync(original as AsJson, line, this, ...args);
  };
  publishing.add(asJson);
  isPatchedSinceLastPino = true;
  Reflect.set(exports, "asJson", asJson);
}

function versionOf(exports: unknown): string | undefined {
  const version: unknown = typeof exports === "function" ? Reflect.get(exports, "version") : "";
  return typeof version === "string" && version !== "" ? version : undefined;
}

/** pino 9.10 was the first with the channel. */
function hasChannel(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 9 || (major === 9 && minor >= 10);
}
