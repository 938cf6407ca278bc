import { type ConfigSource, readList } from "../config-values.ts";

export interface RedactionSettings {
  /** Names of fields, lower case, whose values never leave the process; added to the defaults. */
  readonly keys: readonly string[];
  /** False: the service says it takes care of its secrets itself. */
  readonly enabled: boolean;
}

/** What is blacked out before it is encoded. */
export function readRedactionConfig({ env }: ConfigSource): RedactionSettings {
  const keys = readList(env.CLEW_REDACT).map((key) => key.toLowerCase());
  if (keys.length === 1 && keys[0] === "off") return { keys: [], enabled: false };
  return { keys, enabled: true };
}
