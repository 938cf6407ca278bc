import type { Recorder } from "./recorder.ts";
import { sharedState } from "./shared-state.ts";

const held = sharedState<{ recorder?: Recorder }>("recorder", () => ({}));

/** The recorder of the running instrumentation, or undefined where it was not registered. */
export function findRecorder(): Recorder | undefined {
  return held.recorder;
}

export function setRecorder(recorder: Recorder): void {
  held.recorder = recorder;
}
