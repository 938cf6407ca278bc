import type { PackageMap, TestPackageMap } from "./check-packages.ts";

/** Where source may import each package. */
export const PACKAGE_FOLDERS: PackageMap = {
  "@hono/node-server": "collector/src/query",
  "@sparticuz/chromium": "collector/web/browser.ts",
  hono: "collector/src/query",
  kafkajs: "stack/demo",
  pino: "stack/demo",
  "playwright-core": "collector/web/browser.ts",
  "prom-client": "collector/src/metrics.ts",
  react: "collector/web/src",
  "react-dom": "collector/web/src",
  vite: "tidy/src",
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
};
