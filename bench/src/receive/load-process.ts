/** The load in a process of its own, so that its CPU is not the server's: orders come over IPC. */
import { type LoadOrder, sendLoad } from "./send-load.ts";

process.on("message", async (order: LoadOrder) => {
  process.send?.({ done: await sendLoad(order) });
});
process.send?.({ isRunning: true });
process.on("disconnect", () => process.exit());
