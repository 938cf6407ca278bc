const own = new WeakSet<object>();

/** Requests to this server are ours: no span, no transaction, no figures. */
export function markOwnServer(server: object): void {
  own.add(server);
}

export function isOwnServer(server: unknown): boolean {
  return typeof server === "object" && server !== null && own.has(server);
}
