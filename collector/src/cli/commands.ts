import { KAFKA_VARIABLE } from "../bus/kafka/config.ts";
import { VARIABLE } from "../config.ts";
import { ELASTICSEARCH_VARIABLE } from "../store/elasticsearch/config.ts";
import { DEAD_LETTERS_HELP, deadLettersHelp } from "./dead-letters/help.ts";
import type { Terminal } from "./terminal.ts";

export interface Command {
  readonly name: string;
  readonly help: string;
  /** Where what the command does has help of its own. */
  readonly helpOf?: (args: readonly string[]) => string;
  readonly load: () => Promise<Act>;
}

/** Resolves to the exit code. */
export type Act = (args: readonly string[], terminal: Terminal) => Promise<number>;

export const HELP = `Clew: what happened to transaction X, everywhere, and is anything missing?

  clew serve                  start the collector
  clew find <transaction-id>  one transaction: steps, hops, logs, errors
  clew logs [query]           search logs, or follow them with --follow
  clew ship [files…]          send log files, or stdin, to the collector
  clew dead-letters ls        what was refused; see it, send it again, discard it
  clew config                 show the settings, or check them with --check
  clew setup                  make what the collector needs in Kafka and Elasticsearch

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

  query             words, "phrases", beginnings (declin*) and fields (user.id:42, severity:>=warn,
                    http.response.status_code:>=500, resource.host.name:web*, event:*), joined by
                    and, or, not, a hyphen (-word) and brackets; in quotes for the shell.
                    All of it: docs/search.md
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
Example: clew logs '"not found" (service:orders or user.id:42) -healthcheck' --follow
`;

const SHIP_HELP = `\
Sends log lines to the collector: of stdin, of files once to their end, or of files as they grow.
JSON lines keep their time, severity, message, trace and transaction ID; of text lines a leading
time and level are recognised. A time that names no zone is this machine's time. Stack traces
become one record. Lines of Docker and Kubernetes are taken out of their wrapping.

  clew ship [files…] [options]

  files                   names, or patterns in quotes as in '/var/log/app/*.log'; gzip and zstd
                          are unpacked. Shipped twice, a line is stored once.
  --follow, -f            go on until Ctrl-C: with lines that are added, with new files that match,
                          through rotation by rename and by truncation
  --from-end              at the very first start, only what is added from now on (default:
                          --from-start, all of it); later starts go on where the last one was
  --state-dir DIR         where positions are kept (default: ship in ${VARIABLE.dataDir})
  --exclude PATTERN       not these; may be given several times
  --multiline MODE        auto (stack traces), off, or a regular expression that the first line of
                          each record matches
  --service NAME          the service that wrote the lines (default: the line's own "service")
  --transaction-key KEY   the JSON key, or key=value in text, that holds the transaction ID
  --otlp-url URL          default http://127.0.0.1:4318,
                          from ${VARIABLE.host} and ${VARIABLE.otlpHttpPort};
                          its token is the first of ${VARIABLE.ingestTokens}
  --json                  the summary as one JSON object
  --help                  this text

While the collector is away, ship waits for it and sends everything again. Ctrl-C ends it once what
was read is acknowledged, or after 10 s.
Exit code: 0 every line is acknowledged, 1 some were refused or not sent, 2 wrong usage.
Example: kubectl logs deploy/orders | clew ship --service orders
Example: clew ship --follow '/var/log/app/*.log*' --exclude '*.gz' --state-dir /var/lib/clew-ship
`;

const CONFIG_HELP = `Shows every setting the collector would start with. Secrets are never shown.

  clew config [options]

  --check           say nothing but what is wrong; exit code 1 where something is
  --json            as one JSON object
  --help            this text

Example: ${VARIABLE.host}=0.0.0.0 clew config --check
`;

const SETUP_HELP = `\
Makes what the servers beside the collector need to have, and says what was there. Safe to run
twice: topics that are there are never changed, templates only where they are of an older version
or ${VARIABLE.retentionDays} is another. Without ${KAFKA_VARIABLE.brokers} and
${ELASTICSEARCH_VARIABLE.url} there is nothing to do.

  clew setup [options]

  --json            what is there now, and all warnings, as one JSON object
  --help            this text

Topics get ${KAFKA_VARIABLE.partitions} partitions (6), ${KAFKA_VARIABLE.replicationFactor}
replicas (3, or as many as there are brokers) and keep messages for ${KAFKA_VARIABLE.retentionHours}
(168) hours. It takes the rights Create, Describe and DescribeConfigs on the topics, and in
Elasticsearch the privileges monitor, manage_index_templates and manage_data_stream_lifecycle.
Exit code: 0 everything is there, 1 a server is away or refuses.
Example: ${KAFKA_VARIABLE.brokers}=127.0.0.1:9092 clew setup
`;

export const COMMANDS: readonly Command[] = [
  { name: "serve", help: SERVE_HELP, load: async () => (await import("./serve.ts")).serve },
  { name: "find", help: FIND_HELP, load: async () => (await import("./find.ts")).find },
  { name: "logs", help: LOGS_HELP, load: async () => (await import("./logs.ts")).logs },
  { name: "ship", help: SHIP_HELP, load: async () => (await import("./ship/ship.ts")).ship },
  {
    name: "dead-letters",
    help: DEAD_LETTERS_HELP,
    helpOf: deadLettersHelp,
    load: async () => (await import("./dead-letters/dead-letters.ts")).deadLetters,
  },
  {
    name: "config",
    help: CONFIG_HELP,
    load: async () => (await import("./show-config.ts")).showConfig,
  },
  { name: "setup", help: SETUP_HELP, load: async () => (await import("./setup.ts")).setup },
];

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}
