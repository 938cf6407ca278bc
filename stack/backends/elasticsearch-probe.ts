import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { json } from "node:stream/consumers";

const PROBE_DEADLINE_MS = 5_000;
/** `[o.e.h.AbstractHttpServerTransport] [clew-1] publish_address {127.0.0.1:41651}, bound_…` */
const PUBLISHED = /HttpServerTransport\s*\] .*publish_address \{127\.0\.0\.1:(\d+)\}/;

/** The port that the server's log says it serves HTTP on; undefined while it says nothing. */
export function readPublishedPort(log: string): number | undefined {
  const port = PUBLISHED.exec(log)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** Whether it is our Elasticsearch that answers here, with every primary shard at work. */
export async function isElasticsearchReady(server: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly ca: string | undefined;
  readonly clusterName: string;
}): Promise<boolean> {
  try {
    const answer = await get(server);
    const health = (await json(answer)) as { cluster_name?: string; timed_out?: boolean };
    return (
      answer.headers["x-elastic-product"] === "Elasticsearch" &&
      health.cluster_name === server.clusterName &&
      health.timed_out === false
    );
  } catch {
    // Not up yet, or not ours: asked again until the deadline of who waits.
    return false;
  }
}

function get(server: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly ca: string | undefined;
}): Promise<IncomingMessage> {
  const { url, headers, ca } = server;
  const path = `${url}/_cluster/health?wait_for_status=yellow&timeout=1s`;
  const signal = AbortSignal.timeout(PROBE_DEADLINE_MS);
  return new Promise((resolve, reject) => {
    const asked = path.startsWith("https:")
      ? requestHttps(path, { headers, signal, ca, agent: false })
      : requestHttp(path, { headers, signal, agent: false });
    asked.once("response", resolve).once("error", reject).end();
  });
}
