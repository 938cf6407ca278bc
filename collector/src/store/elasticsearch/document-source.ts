import type { IncomingRecord } from "../../record.ts";
import { readResource, readScopeName } from "../embedded/stored-record.ts";
import { indexAttributes } from "./document-attributes.ts";

/** What all records of one resource and scope have in common, as JSON. */
export interface DocumentSource {
  /** `,"service":…,"resource":…,"scope":…,"clew":{`, and the resource once more if kept only. */
  readonly json: string;
  /** `"run":{"id":…},`, or nothing. */
  readonly run: string;
  /** As names of fields (FIELD.unindexed). */
  readonly unindexed: readonly string[];
}

const SOURCES_MAX = 1024;
/** Larger ones are not kept: they hold what differs from record to record, or are hostile. */
const CACHED_BYTES_MAX = 64 * 1024;

/** Makes JSON of resources and scopes, and keeps it: few of them come, and each of them often. */
export class DocumentSources {
  /** By content; those that came first, first. */
  readonly #known = new Map<string, DocumentSource>();
  #last: { readonly record: IncomingRecord; readonly source: DocumentSource } | undefined;

  of(record: IncomingRecord): DocumentSource {
    if (this.#last !== undefined && isSameSource(this.#last.record, record)) {
      return this.#last.source;
    }
    const source = this.#find(record);
    this.#last = { record, source };
    return source;
  }

  /** Must be called once a batch is done: what was seen last would keep its whole message alive. */
  forgetLast(): void {
    this.#last = undefined;
  }

  #find(record: IncomingRecord): DocumentSource {
    if (record.resource.length + record.scope.length > CACHED_BYTES_MAX) return makeSource(record);
    const key = contentOf(record);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = makeSource(record);
    for (const [oldest] of this.#known) {
      if (this.#known.size < SOURCES_MAX) break;
      this.#known.delete(oldest);
    }
    this.#known.set(key, made);
    return made;
  }
}

/** Records of one message share the very same views of it. */
function isSameSource(a: IncomingRecord, b: IncomingRecord): boolean {
  return (
    a.resource === b.resource &&
    a.scope === b.scope &&
    a.service === b.service &&
    a.runId === b.runId
  );
}

/** Lengths first, so that no two contents are written alike. */
function contentOf(record: IncomingRecord): string {
  const { service, runId, resource, resourceSchemaUrl, scope, scopeSchemaUrl } = record;
  const texts = [service, runId, resourceSchemaUrl, scopeSchemaUrl, latin1(resource)];
  return `${texts.map((text) => text.length).join()}:${texts.join("")}${latin1(scope)}`;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function makeSource(record: IncomingRecord): DocumentSource {
  const { service, runId, resourceSchemaUrl, scopeSchemaUrl } = record;
  const attributes = readResource(record.resource);
  const { indexed, unindexed } = indexAttributes(attributes);
  const scope = readScopeName(record.scope);
  const top = {
    service: { name: service },
    resource: {
      attributes: indexed,
      ...(resourceSchemaUrl !== "" && { schema_url: resourceSchemaUrl }),
    },
    ...((scope !== "" || scopeSchemaUrl !== "") && {
      scope: {
        ...(scope !== "" && { name: scope }),
        ...(scopeSchemaUrl !== "" && { schema_url: scopeSchemaUrl }),
      },
    }),
  };
  const kept = indexed === attributes ? "" : `"resource":${quoted(JSON.stringify(attributes))},`;
  return {
    json: `,${wellFormed(top).slice(1, -1)},"clew":{${kept}`,
    run: runId === "" ? "" : `"run":{"id":${quoted(runId)}},`,
    unindexed: unindexed.map((path) => `resource.attributes.${path}`),
  };
}

/** A text that was cut within a pair of surrogates ends in U+FFFD, as in the embedded store. */
function quoted(text: string): string {
  return JSON.stringify(text.toWellFormed());
}

function wellFormed(value: object): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "string" ? inner.toWellFormed() : inner,
  );
}
