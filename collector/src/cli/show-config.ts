import { readConfig } from "../config.ts";
import type { Terminal } from "./terminal.ts";
import { parseCommandLine } from "./usage-error.ts";

const SECRETS = new Set(["ingestTokens", "queryTokens", "adminTokens"]);

/** `clew config`: what the collector would start with; a wrong value is one line, exit code 1. */
export async function showConfig(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values } = parseCommandLine({
    command: "config",
    args,
    positionalsMax: 0,
    options: { check: { type: "boolean" }, json: { type: "boolean" } },
  });
  const config = readConfig();
  if (values.check) return 0;
  const shown = Object.entries(config).map(([name, value]) => [name, showValue(name, value)]);
  if (values.json) {
    terminal.print(JSON.stringify(Object.fromEntries(shown), null, 2));
    return 0;
  }
  const width = Math.max(...shown.map(([name]) => String(name).length));
  for (const [name, value] of shown) {
    const text = Array.isArray(value) ? value.join(", ") || "(none)" : String(value);
    terminal.print(`${terminal.colour("dim", String(name).padEnd(width))}  ${text}`);
  }
  return 0;
}

/** Of a secret only how many there are. */
function showValue(name: string, value: unknown): unknown {
  if (!SECRETS.has(name) || !Array.isArray(value)) return value;
  return value.length === 0 ? "(none)" : `(${value.length}, not shown)`;
}
