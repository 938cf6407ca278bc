/**
 * A body of `_bulk` as far as a sink needs it: lines of NDJSON, an action and its document in turn.
 *
 *   {"create":{"_index":"logs-clew-default","_id":"3f…-1"}}
 *   {"@timestamp":…}
 */

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const CREATE = Buffer.from('{"create"');
const ID = Buffer.from('"_id":"');
const INDEX = Buffer.from('"_index":"');
/** Where a document has no id of its own, the record's name in it tells it from others. */
const RECORD_UID = Buffer.from('"log.record.uid":"');

export interface BulkDocument {
  /** Its `_id`, or undefined where the server is to choose one. */
  readonly id: string | undefined;
  /** What tells it from others: `_id`, or the record uid in it. */
  readonly name: string | undefined;
  /** Undefined where the address of the request names it. */
  readonly index: string | undefined;
}

/** @throws Error where the body is no series of documents to be created. */
export function* readBulkBody(body: Buffer): Generator<BulkDocument> {
  for (let at = 0; at < body.length; ) {
    const actionEnd = lineEnd(body, at);
    const action = body.subarray(at, actionEnd);
    if (!action.subarray(0, CREATE.length).equals(CREATE)) {
      throw new Error(`cannot count ${action.toString("utf8", 0, 100)}: it creates no document`);
    }
    const end = lineEnd(body, actionEnd + 1);
    const id = textAfter(action, ID);
    const name = id ?? textAfter(body.subarray(actionEnd + 1, end), RECORD_UID);
    yield { id, name, index: textAfter(action, INDEX) };
    at = end + 1;
  }
}

/** @throws Error where the line has no end, as Elasticsearch refuses it. */
function lineEnd(body: Buffer, from: number): number {
  const end = body.indexOf(NEWLINE, from);
  if (end === -1) throw new Error("cannot count documents: the last line has no end");
  return end;
}

/** Ids and names of indices hold nothing that JSON would write otherwise. */
function textAfter(line: Buffer, mark: Buffer): string | undefined {
  const found = line.indexOf(mark);
  if (found === -1) return undefined;
  const from = found + mark.length;
  return line.toString("latin1", from, line.indexOf(QUOTE, from));
}
