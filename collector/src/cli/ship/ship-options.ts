import { join, resolve } from "node:path";
import { type ClientConfig, readClientConfig } from "../../config.ts";
import { safeLine } from "../safe-text.ts";
import { parseCommandLine, wrongUsage } from "../usage-error.ts";
import type { Multiline } from "./record-joiner.ts";

export interface ShipOptions {
  readonly config: ClientConfig;
  /** Names and patterns as they were given; empty for stdin. */
  readonly patterns: readonly string[];
  readonly exclude: readonly string[];
  readonly follow: boolean;
  readonly fromEnd: boolean;
  readonly stateDir: string;
  readonly multiline: Multiline;
  readonly service: string | undefined;
  readonly transactionKeys: readonly string[];
  readonly otlpUrl: string;
  readonly isJson: boolean;
}

const STATE_FOLDER = "ship";
export const STDIN = "-";

/** @throws UsageError; ClewError CONFIG_INVALID where the environment is wrong. */
export function readShipOptions(args: readonly string[]): ShipOptions {
  const { values, positionals } = parseCommandLine({
    command: "ship",
    args,
    positionalsMax: Number.POSITIVE_INFINITY,
    options: {
      follow: { type: "boolean", short: "f" },
      "from-start": { type: "boolean" },
      "from-end": { type: "boolean" },
      "state-dir": { type: "string" },
      exclude: { type: "string", multiple: true },
      multiline: { type: "string" },
      service: { type: "string" },
      "transaction-key": { type: "string" },
      "otlp-url": { type: "string" },
      json: { type: "boolean" },
    },
  });
  const follow = values.follow === true;
  if (!follow) {
    for (const name of ["from-start", "from-end", "state-dir"] as const) {
      if (values[name] !== undefined) throw wrongUsage("ship", `--${name} needs --follow`);
    }
  } else if (positionals.length === 0 || positionals.includes(STDIN)) {
    throw wrongUsage("ship", "--follow needs files; stdin is followed as it is");
  }
  if (values["from-start"] === true && values["from-end"] === true) {
    throw wrongUsage("ship", "--from-start and --from-end exclude each other");
  }
  const config = readClientConfig();
  const key = values["transaction-key"];
  return {
    config,
    patterns: positionals,
    exclude: values.exclude ?? [],
    follow,
    fromEnd: values["from-end"] === true,
    stateDir: resolve(values["state-dir"] || join(config.dataDir, STATE_FOLDER)),
    multiline: parseMultiline(values.multiline ?? "auto"),
    service: values.service || undefined,
    transactionKeys: key ? [key, ...config.transactionKeys] : config.transactionKeys,
    otlpUrl: parseUrl(values["otlp-url"] ?? config.otlpUrl),
    isJson: values.json === true,
  };
}

function parseMultiline(text: string): Multiline {
  if (text === "off" || text === "auto") return text;
  try {
    return new RegExp(text);
  } catch {
    // What is wrong with the expression is said by the message of our own.
    throw wrongUsage("ship", `--multiline ${safeLine(text)} is no off, auto or regular expression`);
  }
}

function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol === "http:" || url?.protocol === "https:") return text;
  throw wrongUsage("ship", `--otlp-url ${safeLine(text)} is no http or https URL`);
}
