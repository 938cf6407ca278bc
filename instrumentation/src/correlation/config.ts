import { isTrue } from "../config-values.ts";
import { readHttpConfig } from "../http/config.ts";

export interface CorrelationConfig {
  readonly disabled: boolean;
  /** Whether the caller's transaction ID and baggage are taken over. */
  readonly trustInbound: boolean;
  /** Host patterns that may be sent IDs. */
  readonly outboundHosts: readonly string[];
  /** One sentence per variable that was not understood; its default is used. */
  readonly warnings: readonly string[];
}

/** The few variables that matter where there are IDs only. */
export function readCorrelationConfig(
  env: Readonly<Record<string, string | undefined>> = process.env,
): CorrelationConfig {
  const warnings: string[] = [];
  return Object.freeze({
    disabled: isTrue(env.OTEL_SDK_DISABLED),
    ...readHttpConfig({ env, warnings }),
    warnings,
  });
}
