/** What every measured program answers over IPC: its own figures, when it is asked. */
process.on("message", (question) => {
  if (question === "end") process.exit();
  if (question !== "figures") return;
  const { user, system } = process.cpuUsage();
  process.send?.({ figures: { cpuMicros: user + system, rssBytes: process.memoryUsage.rss() } });
});
/** Whoever measures is gone: nothing is left behind. */
process.on("disconnect", () => process.exit());
