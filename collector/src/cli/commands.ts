import { VARIABLE } from "../config.ts";
import type { Terminal } from "./terminal.ts";

export interface Command {
  readonly name: string;
  readonly help: string;
  readonly load: () => Promise<Act>;
}

/** Resolves to the exit code. */
export type Act = (args: readonly string[], terminal: Terminal) => Promise<number>;

export const HELP = `Clew: what happened to transaction X, everywhere, and is anything missing?

  clew serve                  start the collector
  clew find <transaction-id>  one transaction: steps, hops, logs, errors
  clew logs [query]           search logs, or follow them with --follow
  clew ship [files…]          send log files, or stdin, to the collector
  clew config                 show the settings, or check them with --check

Example: clew find 019a9f3e-5b7c-7d3e-9a51-0c2f6f1d2b3a
Each has its own help: clew find --help
`;

const CLIENT_OPTIONS = `  --url URL         the collector's address (default http://127.0.0.1:4320,
                    from ${VARIABLE.host} and ${VARIABLE.port});
                    its token is the first of ${VARIABLE.queryTokens}
`;

const SERVE_HELP = `\
Starts the collector. Ctrl-C ends it and loses nothing; a second Ctrl-C ends it at once.

  clew serve [options]

  --json            events as JSON lines; the default where stdout is not a terminal.
                    The first is {"event":"ready","port":4320,"otlpHttpPort":4318,…}
  --help            this text

Example: ${VARIABLE.port}=5320 ${VARIABLE.dataDir}=/var/lib/clew clew serve
All settings: clew config
`;

const FIND_HELP = `Shows one transaction: how it ended, its steps and hops, and its logs in order.

  clew find <transaction-id> [options]

  --limit N         at most so many logs (default 1000)
  --json            everything as one JSON object
${CLIENT_OPTIONS}  --help            this text

Exit code: 0 found, 1 not found or failed, 2 wrong usage.
Example: clew find 019a9f3e-5b7c-7d3e-9a51-0c2f6f1d2b3a
`;

const LOGS_HELP = `Searches logs, and prints the newest that match, oldest first.

  clew logs [query] [options]

  query             words and "phrases", all of which the log must hold
  --service NAME    of this service only
  --severity LEVEL  at least: trace, debug, info, warn, error, fatal
  --since TIME      15m, 2h, 1d, or a time as in 2026-01-31T12:00:00Z
  --follow, -f      go on with new logs until Ctrl-C
  --reports         also what the services report of themselves every few seconds
  --limit N         at most so many, up to 1000 (default 100); not with --follow
  --json            one JSON object per line
${CLIENT_OPTIONS}  --help            this text

Exit code: 0 found, 1 not found or failed, 2 wrong usage.
Example: clew logs "card declined" --service payments --severity warn --since 2h
`;

const SHIP_HELP = `\
Sends log lines to the collector: files, or stdin. JSON lines keep their time, severity,
message, trace and transaction ID; of text lines a leading time and level are recognised.
A time that names no zone is this machine's time.

  clew ship [files…] [options]

  --service NAME          the service that wrote the lines (default: the line's own "service")
  --transaction-key KEY   the JSON key, or key=value in text, that holds the transaction ID
  --otlp-url URL          default http://127.0.0.1:4318,
                          from ${VARIABLE.host} and ${VARIABLE.otlpHttpPort};
                          its token is the first of ${VARIABLE.ingestTokens}
  --json                  the summary as one JSON object
  --help                  this text

While the collector is away, ship waits for it and sends everything again.
Exit code: 0 every line is acknowledged, 1 some were refused or not sent, 2 wrong usage.
Example: kubectl logs deploy/orders | clew ship --service orders
`;

const CONFIG_HELP = `Shows every setting the collector would start with. Secrets are never shown.

  clew config [options]

  --check           say nothing but what is wrong; exit code 1 where something is
  --json            as one JSON object
  --help            this text

Example: ${VARIABLE.host}=0.0.0.0 clew config --check
`;

export const COMMANDS: readonly Command[] = [
  { name: "serve", help: SERVE_HELP, load: async () => (await import("./serve.ts")).serve },
  { name: "find", help: FIND_HELP, load: async () => (await import("./find.ts")).find },
  { name: "logs", help: LOGS_HELP, load: async () => (await import("./logs.ts")).logs },
  { name: "ship", help: SHIP_HELP, load: async () => (await import("./ship.ts")).ship },
  {
    name: "config",
    help: CONFIG_HELP,
    load: async () => (await import("./show-config.ts")).showConfig,
  },
];

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}
