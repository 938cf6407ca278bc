import { type Config, VARIABLE } from "../../config.ts";
import type { ClewError } from "../../errors.ts";
import { toClewError } from "../../errors.ts";
import { GrpcPort } from "../../grpc/grpc-port.ts";
import type { TraceStore } from "./trace-search.ts";

export interface JaegerPortOptions {
  readonly config: Pick<Config, "host" | "jaegerPort" | "queryTokens" | "tls">;
  readonly store: TraceStore;
  readonly onFault: (error: ClewError) => void;
}

const CALL_MS_MAX = 30_000;
const STOP_MS_MAX = 2000;

/** The port on which a Jaeger reads what Clew keeps. */
export function createJaegerPort({ config, store, onFault }: JaegerPortOptions): GrpcPort {
  return new GrpcPort({
    host: config.host,
    port: config.jaegerPort,
    portVariable: VARIABLE.jaegerPort,
    stopMs: STOP_MS_MAX,
    load: async () => {
      const { JaegerServices } = await import("./jaeger-services.ts");
      return new JaegerServices({ config, store, callMs: CALL_MS_MAX });
    },
    onFault: (cause) => onFault(toClewError(cause)),
  });
}
