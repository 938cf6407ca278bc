import { readdirSync, readFileSync } from "node:fs";

const LOOKS_MAX = 100_000;

/**
 * Stops a process as SIGSTOP does, and returns once every thread of it stands still: the signal is
 * sent at once, and on a busy machine a thread may go on for a while and answer a request.
 * @throws Error where it does not stand still in the end.
 */
export function freezeProcess(pid: number): void {
  process.kill(pid, "SIGSTOP");
  if (process.platform !== "linux") return;
  for (let looks = 0; looks < LOOKS_MAX; looks++) if (isFrozen(pid)) return;
  throw new Error(`cannot freeze process ${pid}: it goes on`);
}

function isFrozen(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => stateOf(pid, thread) === "T");
}

/** proc(5), `stat`: the state stands behind the name in brackets, which may hold brackets too. */
function stateOf(pid: number, thread: string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2)[0];
  } catch (error) {
    // A thread that ended meanwhile answers nobody.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "T";
    throw error;
  }
}
