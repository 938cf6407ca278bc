import { createRequire } from "node:module";
import { extname } from "node:path";
import type * as MetricsSdk from "./metrics-sdk.ts";
import type * as SdkMode from "./sdk-mode.ts";
import type * as SdkPropagation from "./sdk-propagation.ts";

/**
 * OpenTelemetry's SDK takes time to load, so it is loaded where it is needed, and at once, because
 * what runs next must already be instrumented. Built packages hold .js where the sources hold .ts.
 */
function require(path: string): unknown {
  // Made only here: a bundle in CommonJS has no `import.meta.url`, and starts all the same.
  return createRequire(import.meta.url)(path);
}

export function loadSdkMode(): typeof SdkMode {
  return require(`./sdk-mode${extname(import.meta.url)}`) as typeof SdkMode;
}

export function loadMetricsSdk(): typeof MetricsSdk {
  return require(`./metrics-sdk${extname(import.meta.url)}`) as typeof MetricsSdk;
}

export function loadSdkPropagation(): typeof SdkPropagation {
  return require(`./sdk-propagation${extname(import.meta.url)}`) as typeof SdkPropagation;
}
