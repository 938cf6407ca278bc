/**
 * Writes numbered lines to a file as a daemon does: appending, each line by a system call of its
 * own. SIGHUP lets it open the file anew; SIGUSR1 lets it pause and SIGUSR2 go on; SIGINT ends it.
 * After each burst it tells how many lines there are.
 * Arguments: file, lines a second, `append` or `write` (which leaves holes).
 */
import { closeSync, openSync, writeSync } from "node:fs";

const [file = "", perSecond = "0", mode = "append"] = process.argv.slice(2);
const BURST_MS = 10;
const burstLines = Math.ceil((Number(perSecond) * BURST_MS) / 1000);
const open = () => openSync(file, mode === "append" ? "a" : "w");

let descriptor = open();
let lines = 0;
let isPaused = false;
const tell = () => process.stdout.write(`${lines}\n`);

process.on("SIGHUP", () => {
  closeSync(descriptor);
  descriptor = open();
});
process.on("SIGUSR1", () => {
  isPaused = true;
  process.stdout.write("paused\n");
});
process.on("SIGUSR2", () => {
  isPaused = false;
});
process.on("SIGINT", () => process.exit());

setInterval(() => {
  if (isPaused) return;
  const end = lines + burstLines;
  for (; lines < end; lines++) {
    writeSync(descriptor, `2026-01-31T12:00:00Z INFO writes line=${lines} ${"x".repeat(40)}\n`);
  }
  tell();
}, BURST_MS);
