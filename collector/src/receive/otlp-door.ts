import type { IncomingMessage } from "node:http";
import { checkToken } from "../check-token.ts";
import type { Config } from "../config.ts";
import { discard } from "../discard.ts";
import { toClewError } from "../errors.ts";
import { otlpJsonToProtobuf } from "../otlp/otlp-json.ts";
import { decompress } from "./decompress.ts";
import type { HttpDoor } from "./http-receiver.ts";
import type { Reply } from "./http-reply.ts";
import type { Reservation } from "./in-flight-bytes.ts";
import type { Intake } from "./intake.ts";
import { acceptedReply, errorReply, partialReply } from "./otlp-reply.ts";
import { readBody } from "./request-body.ts";
import { findFormat, isExportPath, parseRequestHead, type RequestHead } from "./request-head.ts";

export interface OtlpDoorOptions {
  readonly config: Pick<Config, "ingestTokens" | "maxRequestBytes">;
  readonly intake: Intake;
  readonly bodyTimeoutMs: number;
}

/**
 * Answers OTLP/HTTP export requests: each is checked as a whole, published as one message, and
 * acknowledged after that.
 */
export class OtlpDoor implements HttpDoor {
  private readonly options: OtlpDoorOptions;

  constructor(options: OtlpDoorOptions) {
    this.options = options;
  }

  handles(path: string): boolean {
    return isExportPath(path);
  }

  async answer(request: IncomingMessage): Promise<Reply> {
    const { intake, config } = this.options;
    try {
      const head = parseRequestHead(request);
      checkToken(request.headers.authorization, config.ingestTokens);
      const reservation = intake.open();
      try {
        return await this.take({ request, head, reservation });
      } finally {
        reservation.release();
      }
    } catch (thrown) {
      const error = toClewError(thrown);
      intake.refuse(error);
      return errorReply(findFormat(request.headers) ?? "json", error);
    }
  }

  private async take(exported: Export): Promise<Reply> {
    const { signal, format, isRepeat } = exported.head;
    const { reservation } = exported;
    const value = await this.read(exported);
    const outcome = await this.options.intake.take({ signal, value, isRepeat, reservation });
    discard(value);
    return outcome.reason === "" ? acceptedReply(format) : partialReply(format, signal, outcome);
  }

  /** The request as plain protobuf. */
  private async read({ request, head, reservation }: Export): Promise<Buffer> {
    const { maxRequestBytes: maxBytes } = this.options.config;
    const { signal, format, encoding } = head;
    const timeoutMs = this.options.bodyTimeoutMs;
    const sent = await readBody(request, { maxBytes, timeoutMs, reservation });
    const body = await decompress({ body: sent, encoding, maxBytes, reservation });
    if (format === "protobuf") return body;
    const value = otlpJsonToProtobuf({ signal, json: body, maxBytes });
    reservation.grow(value.length);
    reservation.shrink(body.length);
    discard(body);
    return value;
  }
}

interface Export {
  readonly request: IncomingMessage;
  readonly head: RequestHead;
  readonly reservation: Reservation;
}
