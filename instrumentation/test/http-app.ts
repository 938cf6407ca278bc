import { runApp } from "./app-process.ts";
import type { OtlpSink, ReceivedLog, ReceivedSpan } from "./otlp-sink.ts";

/** Without what was sent again because its answer was not seen before the process ended. */
export function distinctSpans(sink: OtlpSink): readonly ReceivedSpan[] {
  return [...new Map(sink.spans.map((span) => [span.spanId, span])).values()];
}

/** Likewise. */
export function distinctLogs(sink: OtlpSink): readonly ReceivedLog[] {
  return [...new Map(sink.logs.map((log) => [log.attributes["log.record.uid"], log])).values()];
}

export const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export interface HttpApp {
  readonly endpoint: string;
  /** Body of the server's `async (req, res)`. */
  readonly handler: string;
  /** Body of an async function; what it returns is the result. */
  readonly client: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs one process with a server and a client of it, and gives back what the client returned. */
export async function runHttpApp<T>(options: HttpApp): Promise<T> {
  const { endpoint, env } = options;
  const end = await runApp({ code: program(options), endpoint, ...(env && { env }) });
  if (end.stderr !== "" || end.code !== 0) throw new Error(`the app failed: ${end.stderr}`);
  return JSON.parse(end.stdout.trim().split("\n").pop() ?? "") as T;
}

function program({ handler, client }: HttpApp): string {
  return `
    import http from "node:http";
    import net from "node:net";
    import { once } from "node:events";
    import { context, propagation, trace } from "@opentelemetry/api";
    import { instrumentationStats, transaction } from "@clew/instrumentation";
    const server = http.createServer(async (req, res) => { ${handler} });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address();
    const url = "http://127.0.0.1:" + port;
    /** A caller that is not instrumented: bytes on a socket, the whole answer as text. */
    const raw = (text) => new Promise((resolve) => {
      let answer = "";
      const socket = net.connect(port, "127.0.0.1", () => socket.write(text));
      socket.on("data", (data) => { answer += data; });
      socket.on("close", () => resolve(answer));
    });
    const ask = async (...headers) => {
      const lines = ["GET /in?secret=1 HTTP/1.1", "host: shop", "connection: close", ...headers];
      const answer = await raw(lines.join("\\r\\n") + "\\r\\n\\r\\n");
      return /x-transaction-id: (.*)\\r/i.exec(answer)?.[1] ?? null;
    };
    const result = await (async () => { ${client} })();
    process.stdout.write(JSON.stringify(result) + "\\n");
    server.close();
    server.closeAllConnections();
  `;
}
