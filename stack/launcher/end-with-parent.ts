/**
 * Loaded ahead of each process the launcher starts (`node --import`): ends the process, as SIGTERM
 * would, when the launcher is gone. Its stdin is a pipe that only the launcher holds open, so the
 * kernel tells even where the launcher was killed. Works on every system, without polling.
 */
import { isMainThread } from "node:worker_threads";

export function endWithParent(): void {
  if (!isMainThread) return;
  process.stdin.once("close", () => process.kill(process.pid, "SIGTERM"));
  process.stdin.resume();
  process.stdin.unref();
}

endWithParent();
