import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runProgram } from "./run-program.ts";

/** Files in PEM of one authority, and of one certificate that it signed. */
export interface TestCertificates {
  readonly ca: string;
  readonly cert: string;
  /** PKCS#8. */
  readonly key: string;
  /** Key and chain in one file, as Kafka wants them. */
  readonly keystore: string;
}

const DEADLINE_MS = 30_000;
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
const NAME = "subjectAltName=IP:127.0.0.1,DNS:localhost";

/** Makes an authority, and a certificate of 127.0.0.1, with openssl, in an empty folder. */
export async function makeTestCertificates(folder: string): Promise<TestCertificates> {
  const file = (name: string) => join(folder, name);
  const [ca, caKey, cert, key] = ["ca.pem", "ca.key", "cert.pem", "key.pem"].map(file) as [
    string,
    string,
    string,
    string,
  ];
  const request = file("request.pem");
  await openssl(["req", "-x509", ...KEY, "-keyout", caKey, "-out", ca, "-subj", "/CN=Test CA"]);
  await openssl(["req", ...KEY, "-keyout", key, "-out", request, "-subj", "/CN=127.0.0.1"]);
  const extensions = file("extensions");
  await writeFile(extensions, `${NAME}\n`);
  const signed = ["-CA", ca, "-CAkey", caKey, "-CAcreateserial", "-extfile", extensions];
  await openssl(["x509", "-req", "-in", request, ...signed, "-out", cert]);
  const keystore = file("keystore.pem");
  const chain = `${await readFile(cert, "utf8")}${await readFile(ca, "utf8")}`;
  await writeFile(keystore, `${await readFile(key, "utf8")}${chain}`);
  return { ca, cert, key, keystore };
}

function openssl(args: readonly string[]): Promise<unknown> {
  return runProgram({ program: "openssl", args, deadlineMs: DEADLINE_MS });
}
