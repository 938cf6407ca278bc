/** Every port over TLS, with the collector's own clients: real processes, real files. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { TEST_CERTIFICATE } from "../../instrumentation/test/test-certificate.ts";
import { VARIABLE } from "../src/config.ts";
import { GrpcClient, startGrpc } from "./grpc-harness.ts";
import { logsRequest } from "./otlp-fixtures.ts";
import { PROTOBUF, RawConnection, startReceiver } from "./receiver-harness.ts";
import { type Environment, runCommand, type Served, serve, stopAll } from "./served-collector.ts";

const LOGS = logsRequest([{ resource: {}, records: [{ body: "over TLS" }] }]);
const NAME = { "grpc.ssl_target_name_override": "localhost" };
const trusting = () => credentials.createSsl(Buffer.from(TEST_CERTIFICATE.cert));
const TLS = { certFile: "", keyFile: "", ...TEST_CERTIFICATE };

describe("the receivers", () => {
  it("OTLP/HTTP takes records over TLS, and ends in order", async () => {
    const running = await startReceiver({ tls: TLS }, { stopMs: 3_600_000 });
    const durable = Promise.withResolvers<void>();
    running.bus.fault = () => durable.promise;
    const answer = post(running.port, LOGS);
    await vi.waitFor(async () => {
      const metrics = await running.registry.metrics();
      expect(metrics).not.toMatch(/clew_receive_in_flight_bytes 0\n/);
    });
    // A handshake that never begins holds nobody up.
    const silent = new RawConnection(running.port);
    await vi.waitFor(() => expect(silent.socket.readyState).toBe("open"));
    const stopped = running.receiver.stop();
    durable.resolve();
    expect(await answer).toBe(200);
    await stopped;
    await silent.ended();
    expect(running.bus.messages).toHaveLength(1);
  });

  it("OTLP/gRPC takes records over TLS, and ends in order", async () => {
    const running = await startGrpc({ tls: TLS }, { stopMs: 3_600_000 });
    const client = new GrpcClient(running.port, NAME, trusting());
    expect((await client.send({ body: LOGS })).code).toBe(status.OK);
    const plain = new GrpcClient(running.port);
    expect((await plain.send({ body: LOGS, deadlineMs: 2000 })).code).not.toBe(status.OK);
    plain.close();
    const durable = Promise.withResolvers<void>();
    const published = vi.fn(() => durable.promise);
    running.bus.fault = published;
    const answer = client.send({ body: LOGS });
    await vi.waitFor(() => expect(published).toHaveBeenCalled());
    const silent = new RawConnection(running.port);
    await vi.waitFor(() => expect(silent.socket.readyState).toBe("open"));
    const stopped = running.receiver.stop();
    durable.resolve();
    expect((await answer).code).toBe(status.OK);
    await stopped;
    await silent.ended();
    client.close();
  });
});

describe("clew", () => {
  const dir = mkdtempSync(join(tmpdir(), "clew-tls-"));
  const files: Environment = {};
  let served: Served;

  beforeAll(async () => {
    const cert = join(dir, "cert.pem");
    const key = join(dir, "key.pem");
    writeFileSync(cert, TEST_CERTIFICATE.cert);
    writeFileSync(key, TEST_CERTIFICATE.key);
    Object.assign(files, { [VARIABLE.tlsCert]: cert, [VARIABLE.tlsKey]: key });
    served = await serve(join(dir, "data"), files);
  });
  afterAll(async () => {
    await stopAll();
    rmSync(dir, { recursive: true });
  });

  it("says https when it is ready", () => {
    expect(served.ready).toMatchObject({
      pageUrl: `https://127.0.0.1:${served.port}`,
      otlpUrl: `https://127.0.0.1:${served.otlpHttpPort}`,
      grpcUrl: `https://127.0.0.1:${served.otlpGrpcPort}`,
    });
  });

  it("ships and finds over TLS, trusting the certificate that it is given", async () => {
    const shipped = await runCommand(["ship"], served.env, "encrypted on its way\n");
    expect(shipped).toMatchObject({ code: 0 });
    await vi.waitFor(
      async () => {
        const found = await runCommand(["logs", "encrypted"], served.env);
        expect(found).toMatchObject({ code: 0 });
        expect(found.stdout).toContain("encrypted on its way");
      },
      { timeout: 20_000 },
    );
  });

  it("does not talk to a collector whose certificate nobody vouches for", async () => {
    const url = `https://127.0.0.1:${served.port}`;
    const found = await runCommand(["logs", "encrypted", "--url", url], {});
    expect(found.code).toBe(1);
    expect(found.stderr).toMatch(/^cannot ask the collector at https:.+certificate.+\n$/);
  });

  it("answers nothing to plain HTTP, on any port", async () => {
    for (const port of [served.port, served.otlpHttpPort, served.otlpGrpcPort]) {
      const { promise, resolve } = Promise.withResolvers<string>();
      let received = "";
      const socket = connectPlain(port, "127.0.0.1");
      socket.on("data", (chunk) => {
        received += chunk.toString("latin1");
      });
      socket.on("error", () => undefined).on("close", () => resolve(received));
      socket.write("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
      expect(await promise).not.toContain("HTTP/1.1 200");
    }
  });

  it("does not start with a file that is none, and says so in one line", async () => {
    const env = { ...files, [VARIABLE.tlsKey]: String(files[VARIABLE.tlsCert]) };
    const result = await runCommand(["serve"], { ...env, [VARIABLE.dataDir]: join(dir, "other") });
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toMatch(new RegExp(`^.*${VARIABLE.tlsKey}=.+ key in PEM.*\n$`));
  });

  it("shows the file of the certificate, and nothing of the key", async () => {
    const result = await runCommand(["config"], files);
    expect(result.stdout).toContain(String(files[VARIABLE.tlsCert]));
    expect(result.stdout).not.toContain("PRIVATE KEY");
  });
});

async function post(port: number, body: Buffer): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const agent = new Agent({ ca: TEST_CERTIFICATE.cert, keepAlive: true });
  const options = { host: "127.0.0.1", port, path: "/v1/logs", method: "POST", agent };
  const sent = request({ ...options, headers: PROTOBUF }, (response) => {
    response.resume().on("end", () => resolve(response.statusCode));
  });
  sent.on("error", reject).end(body);
  return promise;
}
