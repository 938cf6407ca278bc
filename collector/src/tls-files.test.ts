import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { TEST_CERTIFICATE } from "../../instrumentation/test/test-certificate.ts";
import { readClientConfig, readConfig, VARIABLE } from "./config.ts";
import { ClewError } from "./errors.ts";
import { trustCertificates } from "./tls-files.ts";

const dir = mkdtempSync(join(tmpdir(), "clew-tls-"));
afterAll(() => rmSync(dir, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

const cert = file("cert.pem", TEST_CERTIFICATE.cert);
const key = file("key.pem", TEST_CERTIFICATE.key);
const missing = join(dir, "missing.pem");
const garbage = file("garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----");
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const otherKey = file("other-key.pem", `${privateKey.export({ type: "pkcs8", format: "pem" })}`);

test("certificate and key are read, and clients then use https", () => {
  const env = { [VARIABLE.tlsCert]: cert, [VARIABLE.tlsKey]: key };
  expect(readConfig(env).tls).toEqual({ certFile: cert, keyFile: key, ...TEST_CERTIFICATE });
  const client = readClientConfig({ ...env, [VARIABLE.port]: "5000" });
  expect(client.queryUrl).toBe("https://127.0.0.1:5000");
  expect(client.otlpUrl).toBe("https://127.0.0.1:4318");
  expect(client.trusted).toEqual({ variable: VARIABLE.tlsCert, file: cert });
});

test("without them nothing encrypts", () => {
  expect(readConfig({ [VARIABLE.tlsCert]: "", [VARIABLE.tlsKey]: "" }).tls).toBeUndefined();
  expect(readClientConfig({}).queryUrl).toMatch(/^http:/);
});

test("a client trusts the authority it is given rather than the collector's certificate", () => {
  const env = { [VARIABLE.tlsCert]: missing, [VARIABLE.tlsCa]: cert };
  expect(readClientConfig(env).trusted).toEqual({ variable: VARIABLE.tlsCa, file: cert });
});

describe("one line that names the variable, the file and what is allowed", () => {
  test.each([
    ["only a certificate", { [VARIABLE.tlsCert]: cert }, VARIABLE.tlsKey, "is set"],
    ["only a key", { [VARIABLE.tlsKey]: key }, VARIABLE.tlsCert, "is set"],
    ["no such certificate", both(missing, key), `${VARIABLE.tlsCert}=${missing}`, "be read"],
    ["no such key", both(cert, missing), `${VARIABLE.tlsKey}=${missing}`, "be read"],
    ["garbage", both(garbage, key), `${VARIABLE.tlsCert}=${garbage}`, "certificates in PEM"],
    ["a key as certificate", both(key, key), VARIABLE.tlsCert, "certificates in PEM"],
    ["a certificate as key", both(cert, cert), VARIABLE.tlsKey, "certificate's key in PEM"],
    ["another's key", both(cert, otherKey), VARIABLE.tlsKey, "certificate's key in PEM"],
  ])("%s", (_name, env, variable, allowed) => {
    const message = refusalOf(() => readConfig(env));
    expect(message).toContain(variable);
    expect(message).toContain(allowed);
    expect(message).not.toContain("\n");
    expect(message).not.toContain(TEST_CERTIFICATE.key.slice(30, 60));
  });

  test.each([missing, garbage])("a client's authority %s", (path) => {
    const message = refusalOf(() => trustCertificates({ variable: VARIABLE.tlsCa, file: path }));
    expect(message).toContain(`${VARIABLE.tlsCa}=${path}`);
  });
});

function both(certFile: string, keyFile: string) {
  return { [VARIABLE.tlsCert]: certFile, [VARIABLE.tlsKey]: keyFile };
}

function refusalOf(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ClewError);
    expect((thrown as ClewError).code).toBe("CONFIG_INVALID");
    return (thrown as ClewError).message;
  }
  throw new Error("it was accepted");
}
