import { RequestQueue, type RequestQueueInternals } from "./kafkajs-internals.ts";

const CHECK_EVERY_MS = 10;

/**
 * kafkajs looks every millisecond, on each connection and for ever, whether a request waits, though
 * none ever does without throttling; the timer also gets a negative time, of which Node 24 warns on
 * standard error (`TimeoutNegativeWarning`). An idle connection takes 3 % of a core so. This looks
 * only while a request waits, at the time that kafkajs meant.
 */
export function quietRequestQueue(): void {
  RequestQueue.prototype.scheduleCheckPendingRequests = checkOnlyWhatWaits;
}

function checkOnlyWhatWaits(this: RequestQueueInternals): void {
  if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return;
  const throttledMs = this.throttledUntil - Date.now();
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    throttledMs > 0 ? throttledMs : CHECK_EVERY_MS,
  );
}
