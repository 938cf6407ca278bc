/** What programs under test begin with; `scrape()` gets the text of their own /metrics by HTTP. */
export const TOOLS = `
  import http from "node:http";
  import { once } from "node:events";
  import { instrumentationStats, metrics } from "@clew/instrumentation";
  const until = async (isTrue) => {
    while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
  };
  const scrape = async (path = "/metrics") => {
    await until(() => metrics.address !== undefined);
    const accept = "application/openmetrics-text";
    const response = await fetch("http://" + metrics.address + path, { headers: { accept } });
    return response.text();
  };
  const show = (value) => console.log(JSON.stringify(value));
`;

/** Value of the one line that begins so. */
export function metricValue(text: string, line: string): number {
  const found = text.split("\n").filter((candidate) => candidate.startsWith(`${line} `));
  if (found.length !== 1) throw new Error(`${line} stands ${found.length} times`);
  return Number(found[0]?.slice(line.length + 1).split(" ")[0]);
}
