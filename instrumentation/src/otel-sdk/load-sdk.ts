import { createRequire } from "node:module";
import { extname } from "node:path";
import type * as MetricsSdk from "./metrics-sdk.ts";
import type * as SdkMode from "./sdk-mode.ts";
import type * as SdkPropagation from "./sdk-propagation.ts";

/**
 * OpenTelemetry's SDK takes time to load, so it is loaded where it is needed, and at once, because
 * what runs next must already be instrumented. Built packages hold .js where the sources hold .ts.
 */
const require = createRequire(import.meta.url);
const extension = extname(import.meta.url);

export function loadSdkMode(): typeof SdkMode {
  return require(`./sdk-mode${extension}`) as typeof SdkMode;
}

export function loadMetricsSdk(): typeof MetricsSdk {
  return require(`./metrics-sdk${extension}`) as typeof MetricsSdk;
}

export function loadSdkPropagation(): typeof SdkPropagation {
  return require(`./sdk-propagation${extension}`) as typeof SdkPropagation;
}
