import type { DatabaseSync, StatementSync } from "node:sqlite";

const CACHED_MAX = 2048;
/** Larger contents are looked up in the file each time, so that the cache stays small. */
const CACHED_BYTES_MAX = 16 * 1024;

/** Service names of one day file, each stored once and known by a small key. */
export class ServiceNames {
  private readonly cache = new Map<string, number>();
  private readonly select: StatementSync;
  private readonly insert: StatementSync;

  constructor(db: DatabaseSync) {
    this.select = db.prepare("SELECT key FROM services WHERE name = ?");
    this.insert = db.prepare("INSERT INTO services (name) VALUES (?)");
  }

  keyOf(name: string): number {
    const cached = this.cache.get(name);
    if (cached !== undefined) return cached;
    const found = this.select.get(name)?.key ?? this.insert.run(name).lastInsertRowid;
    if (this.cache.size >= CACHED_MAX) this.cache.clear();
    this.cache.set(name, Number(found));
    return Number(found);
  }
}

/** Resources or scopes of one day file: equal bytes are stored once and known by a small key. */
export class InternTable {
  private readonly cache = new Map<string, number>();
  private readonly select: StatementSync;
  private readonly insert: StatementSync;
  private lastContent: Uint8Array | undefined;
  private lastSchemaUrl = "";
  private lastKey = 0;

  constructor(db: DatabaseSync, table: "resources" | "scopes") {
    this.select = db.prepare(`SELECT key FROM ${table} WHERE content = ? AND schema_url = ?`);
    this.insert = db.prepare(`INSERT INTO ${table} (content, schema_url) VALUES (?, ?)`);
  }

  /** Records of one resource come one after the other, mostly with the very same view. */
  keyOf(content: Uint8Array, schemaUrl: string): number {
    if (content === this.lastContent && schemaUrl === this.lastSchemaUrl) return this.lastKey;
    this.lastKey = this.lookUp(content, schemaUrl);
    this.lastContent = content;
    this.lastSchemaUrl = schemaUrl;
    return this.lastKey;
  }

  /** Lets go of the message that the last content is a view into. */
  endBatch(): void {
    this.lastContent = undefined;
  }

  private lookUp(content: Uint8Array, schemaUrl: string): number {
    if (content.length + schemaUrl.length > CACHED_BYTES_MAX) return this.store(content, schemaUrl);
    const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
    const name = `${schemaUrl}\n${bytes.toString("latin1")}`;
    const cached = this.cache.get(name);
    if (cached !== undefined) return cached;
    const key = this.store(content, schemaUrl);
    if (this.cache.size >= CACHED_MAX) this.cache.clear();
    this.cache.set(name, key);
    return key;
  }

  private store(content: Uint8Array, schemaUrl: string): number {
    const found = this.select.get(content, schemaUrl)?.key;
    return Number(found ?? this.insert.run(content, schemaUrl).lastInsertRowid);
  }
}
