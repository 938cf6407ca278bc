/** A query string from what is set; empty values are left out. */
export function queryString(values: Readonly<Record<string, string | number | null>>): string {
  const entries = Object.entries(values).filter(([, value]) => value !== null && value !== "");
  if (entries.length === 0) return "";
  return `?${new URLSearchParams(entries.map(([name, value]) => [name, String(value)]))}`;
}
