/** How far the monotonic clock may stray from the wall clock before it is set anew. */
const DRIFT_MS_MAX = 2;
/** How long the wall clock is not asked again: it costs as much as all the rest. */
const CHECK_EVERY_MS = 10;

let offsetMs = performance.timeOrigin;
let checkedAtMs = Number.NEGATIVE_INFINITY;

/**
 * Unix time in whole microseconds: the wall clock's value with the monotonic clock's steps, so that
 * records of one millisecond keep their order and durations do not jump.
 */
export function nowMicros(): number {
  const monotonicMs = performance.now();
  if (monotonicMs - checkedAtMs > CHECK_EVERY_MS) {
    checkedAtMs = monotonicMs;
    const wallMs = Date.now();
    const drift = offsetMs + monotonicMs - wallMs;
    // The wall clock has whole milliseconds: being up to one ahead of it is no drift.
    if (drift > DRIFT_MS_MAX || drift < -DRIFT_MS_MAX) offsetMs = wallMs - monotonicMs;
  }
  return Math.round((offsetMs + monotonicMs) * 1000);
}
