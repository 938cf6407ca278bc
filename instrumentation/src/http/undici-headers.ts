/** Headers of undici's requests by their lower-case names: text in version 5, later a flat list. */
export function headersOf(headers: unknown): Map<string, string> {
  const found = new Map<string, string>();
  if (typeof headers === "string") {
    for (const line of headers.split("\r\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) found.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
  } else if (Array.isArray(headers)) {
    for (let at = 0; at + 1 < headers.length; at += 2) {
      found.set(textOf(headers[at]).toLowerCase(), textOf(headers[at + 1]));
    }
  }
  return found;
}

/** undici gives texts, or their bytes. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : "";
}
