import { subscribe } from "node:diagnostics_channel";
import { Socket } from "node:net";
import { guard } from "../stats.ts";
import { METRIC } from "../wire-names.ts";
import { addMetricSource } from "./metric-source.ts";

/** Sockets looked at while they are open; more than a process can usually have. */
const SOCKETS_MAX = 100_000;

/** Of the sockets that are closed; the open ones are asked when somebody wants to know. */
const closed = { received: 0, sent: 0 };
const open = new Set<Socket>();

/**
 * Counts the bytes of this thread's TCP connections and Unix sockets by the channels Node has for
 * them: connections taken, connections made by `net`, and those that an HTTP client made. Not
 * seen: a TLS connection that the service itself makes by `tls.connect`, and UDP. `/proc` has no
 * better figure: what stands there is the whole network namespace's, the machine's as a rule.
 */
export function countNetworkBytes(): void {
  for (const channel of ["net.client.socket", "net.server.socket", "undici:client:connected"]) {
    subscribe(channel, guard("metrics", track));
  }
  subscribe(
    "http.client.response.finish",
    guard("metrics", (message) => {
      const { request } = message as { request?: { socket?: unknown } };
      track({ socket: request?.socket });
    }),
  );
  addTotal(METRIC.networkReceivedBytes, "Bytes received on this thread's connections.", "received");
  addTotal(METRIC.networkSentBytes, "Bytes sent on this thread's connections.", "sent");
}

export interface NetworkBytes {
  received: number;
  sent: number;
}

export function networkBytes(): NetworkBytes {
  const total = { ...closed };
  for (const socket of open) addBytes(total, socket);
  return total;
}

function track(message: unknown): void {
  const { socket } = message as { socket?: unknown };
  if (!(socket instanceof Socket) || open.has(socket) || isCountedBelow(socket)) return;
  if (socket.destroyed || open.size >= SOCKETS_MAX) return;
  open.add(socket);
  socket.once("close", () => {
    if (open.delete(socket)) addBytes(closed, socket);
  });
}

/** TLS over a socket that was there before (through a proxy): that socket has been counted. */
function isCountedBelow(socket: Socket): boolean {
  const below: unknown = Reflect.get(socket, "_parent");
  return below instanceof Socket && open.has(below);
}

function addBytes(total: NetworkBytes, socket: Socket): void {
  total.received += socket.bytesRead;
  total.sent += socket.bytesWritten;
}

function addTotal(name: string, help: string, key: keyof NetworkBytes): void {
  const collect = () => [{ labels: {}, value: networkBytes()[key] }];
  addMetricSource({ name, help, type: "counter", collect });
}
