/** The first line of a service: everything before it is start-up. It ends when it is told to. */
process.send?.({ isRunning: true });
import("./measured.js");
