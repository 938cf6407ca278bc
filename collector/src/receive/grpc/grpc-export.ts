import type { Duplex } from "node:stream";
import { type Metadata, ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";
import { checkToken } from "../../check-token.ts";
import type { Config } from "../../config.ts";
import { ClewError, toClewError } from "../../errors.ts";
import { type ContentEncoding, ENCODINGS } from "../decompress.ts";
import { DISCARD_BYTES_MAX } from "../http-reply.ts";
import type { Reservation } from "../in-flight-bytes.ts";
import type { Intake } from "../intake.ts";
import { timedOut, tooLarge } from "../request-body.ts";
import { takeCall } from "./grpc-js-call.ts";
import { toStatus } from "./grpc-status.ts";
import { MessagePrefix } from "./message-prefix.ts";

export interface ExportsOptions {
  readonly config: Pick<Config, "ingestTokens" | "maxRequestBytes">;
  readonly intake: Intake;
  /** From the call's headers to the last byte of its message. */
  readonly messageTimeoutMs: number;
}

/**
 * The calls that are open, from their headers to their message: the token is checked before a byte
 * of the message is read, and its bytes are reserved before they come.
 */
export class GrpcExports {
  private readonly options: ExportsOptions;
  private readonly exports = new WeakMap<Metadata, GrpcExport>();
  private openCalls = 0;
  private onSettled: (() => void) | undefined;

  constructor(options: ExportsOptions) {
    this.options = options;
  }

  /** Resolves once no call is open. */
  async settled(): Promise<void> {
    if (this.openCalls === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.onSettled = resolve;
    await promise;
  }

  /** The call that these headers opened. */
  find(metadata: Metadata): GrpcExport {
    const found = this.exports.get(metadata);
    if (found === undefined) throw new Error("cannot answer a call that was not opened");
    return found;
  }

  /** Stands between grpc-js and the handlers. */
  readonly interceptor: ServerInterceptor = (_method, call) => {
    const { stream, encoding } = takeCall(call);
    this.openCalls++;
    stream.once("close", () => {
      this.openCalls--;
      if (this.openCalls === 0) this.onSettled?.();
    });
    const refuse = (error: ClewError): void => {
      this.options.intake.refuse(error);
      call.sendStatus(toStatus(error));
    };
    const arriving = new GrpcExport(this.options, { stream, encoding, refuse });
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, goOn) => {
            if (!arriving.open(metadata)) return;
            this.exports.set(metadata, arriving);
            goOn(metadata);
          },
          onReceiveHalfClose: (goOn) => {
            if (arriving.isWhole()) goOn();
          },
        }),
    });
  };
}

/** One call, while its message arrives. */
export class GrpcExport {
  private readonly options: ExportsOptions;
  private readonly call: { stream: Duplex; encoding: string; refuse: (error: ClewError) => void };
  private readonly prefix = new MessagePrefix();
  private held: Reservation | undefined;
  private isRefused = false;
  private discardedBytes = 0;

  constructor(options: ExportsOptions, call: GrpcExport["call"]) {
    this.options = options;
    this.call = call;
  }

  get reservation(): Reservation {
    if (this.held === undefined) throw new Error("cannot answer a call that was not opened");
    return this.held;
  }

  /** @throws ClewError MEDIA_TYPE_UNSUPPORTED */
  get encoding(): ContentEncoding {
    if (!this.prefix.isCompressed) return "identity";
    const encoding = ENCODINGS.find((candidate) => candidate === this.call.encoding);
    if (encoding !== undefined) return encoding;
    const what = `grpc-encoding ${JSON.stringify(this.call.encoding.slice(0, 100))}`;
    const why = `${ENCODINGS.join(", ")} are supported`;
    throw new ClewError("MEDIA_TYPE_UNSUPPORTED", `cannot read ${what}: ${why}`);
  }

  /** Whether the message may come; else the call is answered. */
  open(metadata: Metadata): boolean {
    const { config, intake, messageTimeoutMs } = this.options;
    const { stream } = this.call;
    const timer = setTimeout(() => this.endLate(), messageTimeoutMs);
    stream.prependListener("data", (chunk: Buffer) => this.watch(chunk, timer));
    stream.once("close", () => {
      clearTimeout(timer);
      this.held?.release();
    });
    return this.attempt(() => {
      const [authorization] = metadata.get("authorization");
      checkToken(authorization?.toString(), config.ingestTokens);
      this.held = intake.open();
    });
  }

  /** At the end of what the client sends: whether the message came whole; else it is answered. */
  isWhole(): boolean {
    return this.attempt(() => {
      if (this.prefix.isComplete) return;
      const why = "its message is cut off";
      throw new ClewError("REQUEST_MALFORMED", `cannot take the request: ${why}`);
    });
  }

  private watch(chunk: Buffer, timer: NodeJS.Timeout): void {
    if (this.isRefused) {
      this.discardedBytes += chunk.length;
      if (this.discardedBytes > DISCARD_BYTES_MAX) this.call.stream.destroy();
      return;
    }
    this.attempt(() => {
      const messageBytes = this.prefix.add(chunk);
      const { maxRequestBytes } = this.options.config;
      if (messageBytes !== undefined && messageBytes > maxRequestBytes) {
        throw tooLarge(maxRequestBytes);
      }
      if (this.prefix.isExceeded) {
        const why = "a call has one message, and more came";
        throw new ClewError("REQUEST_MALFORMED", `cannot take the request: ${why}`);
      }
      if (messageBytes !== undefined) this.held?.grow(messageBytes);
      if (this.prefix.isComplete) clearTimeout(timer);
    });
  }

  /** Also the end of a call that was answered and whose client sends on. */
  private endLate(): void {
    if (this.isRefused) this.call.stream.destroy();
    else this.attempt(() => fail(timedOut(this.options.messageTimeoutMs)));
  }

  private attempt(act: () => void): boolean {
    if (this.isRefused) return false;
    try {
      act();
      return true;
    } catch (thrown) {
      this.isRefused = true;
      this.held?.release();
      this.call.refuse(toClewError(thrown));
      return false;
    }
  }
}

function fail(error: ClewError): never {
  throw error;
}
