import { readClientConfig } from "../../config.ts";
import { trustCertificates } from "../../tls-files.ts";
import { QueryClient } from "../query-client.ts";

/** Asks as an admin: with the first of the admin's tokens. */
export function openLettersClient(url: string | undefined): QueryClient {
  const config = readClientConfig();
  trustCertificates(config.trusted);
  return new QueryClient({ url, config, role: "admin" });
}

export const PATH = "/dead-letters";

export function letterPath(id: string): string {
  return `${PATH}/${encodeURIComponent(id)}`;
}
