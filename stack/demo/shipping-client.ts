/** `orders`' way to `shipping`: node:http's own client, over connections that are kept. */
import { Agent, request } from "node:http";
import { StackError } from "../errors.ts";
import type { Json } from "./http-service.ts";

const CONNECTIONS_MAX = 32;
const TIMEOUT_MS = 5_000;

export class ShippingClient {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });

  constructor(url: string) {
    this.#url = url;
  }

  /**
   * Posts JSON; answers the status.
   * @throws StackError CALL_FAILED where `shipping` does not answer in time.
   */
  post(path: string, body: Json): Promise<number> {
    return new Promise((resolve, reject) => {
      const call = request(`${this.#url}${path}`, {
        agent: this.#agent,
        method: "POST",
        headers: { "content-type": "application/json" },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      call.once("response", (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode ?? 0));
        response.once("error", reject);
      });
      call.once("error", (cause) => {
        reject(new StackError("CALL_FAILED", `cannot reach shipping: ${cause.message}`, { cause }));
      });
      call.end(JSON.stringify(body));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
