import { setTimeout } from "node:timers";
import { isMainThread } from "node:worker_threads";

/** How long the end of a process may be put off for records that are still here. */
const DRAIN_MS_MAX = 2000;
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

export interface ProcessEndHooks {
  /** Sends what waits; resolves at the latest after that time, and keeps the loop alive so long. */
  readonly drain: (deadlineMs: number) => Promise<void>;
  /** The end is near, and what is made now is still sent in time. May be told more than once. */
  readonly onEnding: () => void;
  /** Whether anything waits. */
  readonly isPending: () => boolean;
  /** The last synchronous moment. */
  readonly atExit: () => void;
  readonly onUncaught: (error: unknown) => void;
}

/**
 * Takes care of every way a process ends, without changing its exit code or the service's own
 * handlers: the loop running empty, `process.exit`, an uncaught error, and the signals that by
 * default kill.
 */
export function watchProcessEnd(hooks: ProcessEndHooks): void {
  watchEmptyLoop(hooks);
  process.on("exit", hooks.atExit);
  process.on("uncaughtExceptionMonitor", (error) => {
    // A service that handles its uncaught errors decides itself whether to log them.
    if (process.listenerCount("uncaughtException") === 0) hooks.onUncaught(error);
  });
  if (!isMainThread) return; // Signals are the main thread's.
  for (const signal of SIGNALS) watchSignal(signal, hooks);
}

/** Tries once; what comes after, the `exit` event takes care of: the process always ends. */
function watchEmptyLoop(hooks: ProcessEndHooks): void {
  let hasTried = false;
  process.on("beforeExit", () => {
    if (hasTried) return;
    hooks.onEnding();
    if (!hooks.isPending()) return;
    hasTried = true;
    void hooks.drain(DRAIN_MS_MAX);
  });
}

/**
 * A listener takes a signal's deadly default away. So where ours is the only one, it sends what
 * waits and then lets the signal kill; where the service has its own, that one decides. Ours steps
 * aside for the moment, because libraries (signal-exit) count listeners to find out whether theirs
 * is the last. A second signal while ours still sends kills at once.
 */
function watchSignal(signal: NodeJS.Signals, hooks: ProcessEndHooks): void {
  let isEnding = false;
  const die = () => {
    hooks.atExit();
    process.removeListener(signal, listener);
    process.kill(process.pid, signal);
  };
  const listener = () => {
    if (process.listenerCount(signal) > 1) {
      process.removeListener(signal, listener);
      setTimeout(() => process.on(signal, listener), 0).unref();
      void hooks.drain(DRAIN_MS_MAX);
      return;
    }
    if (isEnding) return die();
    isEnding = true;
    hooks.onEnding();
    void hooks.drain(DRAIN_MS_MAX).then(die, die);
  };
  process.on(signal, listener);
}
