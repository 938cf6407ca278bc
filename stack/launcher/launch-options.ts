import { parseArgs } from "node:util";
import { VARIABLE } from "../config.ts";
import { messageOf, StackError } from "../errors.ts";

export interface LaunchOptions {
  /** The three services. */
  readonly demo: boolean;
  /** The customers who send orders to them. */
  readonly load: boolean;
  /** A real broker for the demo's second job. */
  readonly kafka: boolean;
  /** Events as JSON lines in place of prose. */
  readonly json: boolean;
  readonly help: boolean;
}

export const LAUNCH_HELP = `Starts Clew and a demo of three services. Ctrl-C ends everything.

  npm start -- [options]

  --no-demo   just the collector
  --no-load   the services without customers
  --kafka     the demo's second job goes over a real Kafka (needs Java 17 and Maven)
  --json      one JSON line per event, for programs
  --help      this text

Example: npm start -- --kafka
Ports (0: any free one) and folders are set by
  ${VARIABLE.webPort} ${VARIABLE.otlpHttpPort} ${VARIABLE.dataDir}
  ${VARIABLE.ordersPort} ${VARIABLE.paymentsPort} ${VARIABLE.shippingPort}
`;

/** @throws StackError OPTION_INVALID with one line. */
export function parseLaunchOptions(args: readonly string[]): LaunchOptions {
  const values = parse(args);
  const demo = values["no-demo"] !== true;
  if (!demo && values.kafka) throw invalid("--kafka needs the demo, which --no-demo leaves out");
  return Object.freeze({
    demo,
    load: demo && values["no-load"] !== true,
    kafka: values.kafka === true,
    json: values.json === true,
    help: values.help === true,
  });
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        "no-demo": { type: "boolean" },
        "no-load": { type: "boolean" },
        kafka: { type: "boolean" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw invalid(messageOf(error).split(". ")[0] ?? "");
  }
}

function invalid(reason: string): StackError {
  return new StackError("OPTION_INVALID", `cannot start: ${reason}; see npm start -- --help`);
}
