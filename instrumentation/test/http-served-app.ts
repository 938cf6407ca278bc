import { App, type AppEnd } from "./app-process.ts";

export interface ServedApp {
  readonly endpoint: string;
  /** An ES module that ends with `serve(server)`, with what `imports` says at hand. */
  readonly code: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

/** Says the port, and ends when its input does, as a service is shut down. */
const PRELUDE = `
  import { once } from "node:events";
  import { createRequire } from "node:module";
  import { instrumentationStats, markExpected, transaction } from "@clew/instrumentation";
  const serve = async (server) => {
    if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
    process.stdout.write(JSON.stringify(server.address().port) + "\\n");
    process.stdin.resume().on("end", () => {
      process.stdout.write(JSON.stringify(instrumentationStats().faults) + "\\n");
      process.exit(0);
    });
  };
`;

/** A service in a process of its own, asked from outside by code that knows nothing of Clew. */
export async function withServedApp(
  options: ServedApp,
  ask: (port: number, app: App) => Promise<void>,
): Promise<AppEnd & { readonly faults: unknown }> {
  const { endpoint, env, args } = options;
  const app = new App({
    code: PRELUDE + options.code,
    endpoint,
    ...(env && { env }),
    ...(args && { args }),
  });
  const port = await app.nextJson<number>();
  await ask(port, app);
  app.child.stdin?.end();
  const end = await app.ended;
  const last = end.stdout.trim().split("\n").pop() ?? "null";
  return { ...end, faults: end.code === 0 ? JSON.parse(last) : undefined };
}
