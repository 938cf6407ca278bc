import { instrumentFrameworks } from "./frameworks/instrument-frameworks.ts";
import { instrumentHttpClient } from "./http-client.ts";
import { instrumentHttpServer } from "./http-server.ts";
import { instrumentUpgrades } from "./http-upgrade.ts";
import { instrumentHttp2 } from "./http2-module.ts";
import type { HttpServerOptions } from "./open-server-span.ts";
import type { OutboundOptions } from "./outbound-call.ts";
import { watchUncaughtErrors } from "./uncaught-error.ts";
import { instrumentUndiciClient } from "./undici-client.ts";

/** Every way in which HTTP comes into a service and leaves it. */
export function instrumentHttp(server: HttpServerOptions, client: OutboundOptions): void {
  instrumentHttpServer(server);
  instrumentUpgrades(server);
  watchUncaughtErrors();
  instrumentHttpClient(client);
  instrumentUndiciClient(client);
  instrumentHttp2(server, client);
  instrumentFrameworks();
}
