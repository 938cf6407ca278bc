interface HostAndPort {
  readonly host: string;
  readonly port: number | undefined;
}

/** A service is called by few names; callers that make up more only cost the splitting. */
const REMEMBERED_MAX = 256;
const REMEMBERED_CHARACTERS_MAX = 256;
const remembered = new Map<string, HostAndPort>();

/** The two parts of a Host header; an IPv6 address keeps its brackets. */
export function splitHost(header: string): HostAndPort {
  const known = remembered.get(header);
  if (known !== undefined) return known;
  const match = /^(.*):(\d{1,5})$/.exec(header);
  const isWhole = match === null || header.endsWith("]");
  const parts: HostAndPort = isWhole
    ? { host: header, port: undefined }
    : { host: match[1] ?? header, port: Number(match[2]) };
  const fits = header.length <= REMEMBERED_CHARACTERS_MAX;
  if (fits && remembered.size < REMEMBERED_MAX) remembered.set(header, parts);
  return parts;
}
