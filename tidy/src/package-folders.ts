import type { PackageMap, TestPackageMap } from "./check-packages.ts";

/** Where source may import each package. */
export const PACKAGE_FOLDERS: PackageMap = {
  "@hono/node-server": ["collector/src/query", "bench/peers/instrumentation"],
  "@opentelemetry/core": "instrumentation/src/otel-sdk",
  "@opentelemetry/exporter-logs-otlp-grpc": "instrumentation/src/otel-sdk",
  "@opentelemetry/exporter-logs-otlp-http": "instrumentation/src/otel-sdk",
  "@opentelemetry/exporter-trace-otlp-grpc": "instrumentation/src/otel-sdk",
  "@opentelemetry/exporter-trace-otlp-http": "instrumentation/src/otel-sdk",
  "@opentelemetry/exporter-zipkin": "instrumentation/src/otel-sdk",
  "@opentelemetry/propagator-b3": "instrumentation/src/otel-sdk",
  "@opentelemetry/resources": "instrumentation/src/otel-sdk",
  "@opentelemetry/sdk-logs": "instrumentation/src/otel-sdk",
  "@opentelemetry/sdk-node": "instrumentation/src/otel-sdk",
  "@opentelemetry/sdk-trace": "instrumentation/src/otel-sdk",
  "@sparticuz/chromium": "collector/web/browser.ts",
  bunyan: "bench/peers/instrumentation",
  hono: ["collector/src/query", "bench/peers/instrumentation"],
  kafkajs: "stack/demo",
  pino: ["stack/demo", "bench/peers/instrumentation"],
  "playwright-core": "collector/web/browser.ts",
  "prom-client": ["collector/src/metrics.ts", "instrumentation/src/metrics"],
  react: "collector/web/src",
  "react-dom": "collector/web/src",
  vite: "tidy/src",
  winston: "bench/peers/instrumentation",
};

/** Where tests may, beside that: they drive what users have. */
export const TEST_PACKAGE_FOLDERS: TestPackageMap = {
  "@opentelemetry/exporter-logs-otlp-http": ["collector/test"],
  "@opentelemetry/exporter-logs-otlp-proto": ["collector/test"],
  "@opentelemetry/exporter-trace-otlp-http": ["collector/test"],
  "@opentelemetry/exporter-trace-otlp-proto": ["collector/test"],
  "@opentelemetry/resources": ["collector/test"],
  "@opentelemetry/sdk-logs": ["collector/test"],
  "@opentelemetry/sdk-trace": ["collector/test"],
  esbuild: ["instrumentation/test"],
  kafkajs: ["stack/test"],
  opossum: ["instrumentation/test"],
  ws: ["instrumentation/test"],
};
