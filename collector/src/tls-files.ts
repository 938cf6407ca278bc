import { createSecureContext, getCACertificates, setDefaultCACertificates } from "node:tls";
import { invalid, readTextFile } from "./environment.ts";
import { ClewError } from "./errors.ts";

/** A certificate with its chain, and its key, both in PEM. */
export interface TlsIdentity {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
}

export interface NamedFile {
  readonly variable: string;
  /** Empty or absent: not set. */
  readonly file: string | undefined;
}

/**
 * Reads what the ports identify themselves with; undefined where neither file is set.
 * @throws ClewError CONFIG_INVALID where one is missing, or the two do not belong together.
 */
export function readTlsIdentity(cert: NamedFile, key: NamedFile): TlsIdentity | undefined {
  if (!cert.file && !key.file) return undefined;
  if (!cert.file) throw invalid(cert.variable, "", `a file in PEM, for ${key.variable} is set`);
  if (!key.file) throw invalid(key.variable, "", `a file in PEM, for ${cert.variable} is set`);
  const identity = {
    certFile: cert.file,
    keyFile: key.file,
    cert: readTextFile(cert.variable, cert.file),
    key: readTextFile(key.variable, key.file),
  };
  checkPem({ ...cert, file: cert.file }, { cert: identity.cert });
  checkPem({ ...key, file: key.file }, { cert: identity.cert, key: identity.key });
  return identity;
}

/**
 * Lets every connection that this process opens trust these certificates beside the system's: only
 * so can `fetch` be told of them.
 * @throws ClewError CONFIG_INVALID
 */
export function trustCertificates({ variable, file }: NamedFile): void {
  if (!file) return;
  const cert = readCertificates({ variable, file });
  setDefaultCACertificates([...getCACertificates("default"), cert]);
}

/**
 * Certificates in PEM, to trust in place of the system's.
 * @throws ClewError CONFIG_INVALID
 */
export function readCertificates({ variable, file }: { variable: string; file: string }): string {
  const cert = readTextFile(variable, file);
  checkPem({ variable, file }, { cert });
  return cert;
}

/** OpenSSL's own word says what is wrong, and never a piece of the key. */
function checkPem(
  { variable, file }: { variable: string; file: string },
  pem: { cert: string; key?: string },
): void {
  const wanted = pem.key === undefined ? "certificates in PEM" : "the certificate's key in PEM";
  try {
    createSecureContext(pem);
  } catch (cause) {
    const why = cause instanceof Error && "reason" in cause ? ` (${String(cause.reason)})` : "";
    const message = `${variable}=${file}: allowed is a file with ${wanted}${why}`;
    throw new ClewError("CONFIG_INVALID", message, { cause });
  }
}
