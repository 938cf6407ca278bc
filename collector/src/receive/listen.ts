import type { AddressInfo, Server } from "node:net";
import { VARIABLE } from "../config.ts";
import { ClewError } from "../errors.ts";

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** The variable that the port comes from. */
  readonly portVariable: string;
}

/**
 * Starts a server of any kind.
 * @throws ClewError PORT_IN_USE, or CONFIG_INVALID where the address cannot be listened on.
 */
export async function listen(server: Server, address: ListenAddress): Promise<{ port: number }> {
  const { host, port } = address;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host, port, exclusive: true }, resolve);
  try {
    await promise;
  } catch (cause) {
    throw cannotListen(address, cause);
  } finally {
    server.off("error", reject);
  }
  return { port: (server.address() as AddressInfo).port };
}

function cannotListen({ host, port, portVariable }: ListenAddress, cause: unknown): ClewError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  if (code === "EADDRINUSE") {
    const why = `another process has port ${port}; set ${portVariable} to another`;
    return new ClewError("PORT_IN_USE", `cannot listen on ${host}:${port}: ${why}`, { cause });
  }
  const what = `${VARIABLE.host}=${host}, ${portVariable}=${port}`;
  return new ClewError("CONFIG_INVALID", `cannot listen on ${what}: ${code}`, { cause });
}
