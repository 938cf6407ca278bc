export type Route =
  | { readonly page: "transactions" }
  | { readonly page: "transaction"; readonly transactionId: string }
  | { readonly page: "logs" }
  | { readonly page: "services" }
  | { readonly page: "unknown" };

/** The page that an address means. */
export function parseRoute(pathname: string): Route {
  const parts = pathname.split("/").filter((part) => part !== "");
  const [first, second] = parts;
  if (first === undefined) return { page: "transactions" };
  if (parts.length === 1 && first === "transactions") return { page: "transactions" };
  if (parts.length === 1 && (first === "logs" || first === "services")) return { page: first };
  if (parts.length === 2 && first === "transactions" && second !== undefined) {
    const transactionId = findDecoded(second);
    if (transactionId !== undefined) return { page: "transaction", transactionId };
  }
  return { page: "unknown" };
}

export function transactionPath(transactionId: string): string {
  return `/transactions/${encodeURIComponent(transactionId)}`;
}

function findDecoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
