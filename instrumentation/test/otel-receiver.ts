import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createHttp2Server, type Http2Server } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One request as it came: nothing is decoded. */
export interface RawRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** A server that answers every request of an exporter, whatever it speaks. */
export class OtelReceiver {
  readonly requests: RawRequest[] = [];
  /** Answers of HTTP are taken from here first, the oldest one first; then 200. */
  readonly statuses: number[] = [];
  readonly #servers: (Server | Http2Server)[] = [];

  /** HTTP/1.1; with certificates TLS, and then only for clients that show theirs. */
  http(tls?: Certificates): Promise<number> {
    const listener: RequestListener = (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { headers, url: path = "" } = request;
        this.requests.push({ path, headers, body: Buffer.concat(chunks) });
        const type = headers["content-type"] ?? "text/plain";
        response.writeHead(this.statuses.shift() ?? 200, { "content-type": type });
        // An answer that says nothing: in protobuf that is no bytes at all.
        response.end(type.includes("json") ? "{}" : "");
      });
    };
    const options = { requestCert: true, rejectUnauthorized: true };
    return this.#listen(
      tls === undefined
        ? createServer(listener)
        : createTlsServer({ ...options, ca: tls.ca, cert: tls.cert, key: tls.key }, listener),
    );
  }

  /** gRPC: a message is a zero byte, four bytes of length, and protobuf. */
  grpc(): Promise<number> {
    const server = createHttp2Server();
    server.on("stream", (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const path = String(headers[":path"]);
        this.requests.push({ path, headers, body: Buffer.concat(chunks).subarray(5) });
        stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(Buffer.alloc(5));
      });
    });
    return this.#listen(server);
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) {
      if ("closeAllConnections" in server) (server.closeAllConnections as () => void)();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  async #listen(server: Server | Http2Server): Promise<number> {
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }
}

export interface Certificates {
  readonly folder: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** An authority, and one certificate of it for 127.0.0.1 that serves both sides. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "clew-tls-"));
  const run = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  run("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca");
  run(
    ...["req", "-x509", ...key, "-keyout", "own.key", "-out", "own.pem", "-subj", "/CN=own"],
    ...["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=IP:127.0.0.1"],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
  );
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  return { folder, ca: read("ca.pem"), cert: read("own.pem"), key: read("own.key") };
}

export function removeCertificates({ folder }: Certificates): void {
  rmSync(folder, { recursive: true, force: true });
}
