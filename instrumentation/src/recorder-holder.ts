import type { Recorder } from "./recorder.ts";

let current: Recorder | undefined;

/** The recorder of the running instrumentation, or undefined where it was not registered. */
export function findRecorder(): Recorder | undefined {
  return current;
}

export function setRecorder(recorder: Recorder): void {
  current = recorder;
}
