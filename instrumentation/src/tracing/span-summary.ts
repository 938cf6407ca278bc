import { ATTRIBUTE, SEMANTIC } from "../wire-names.ts";
import type { RecordedSpan } from "./recorded-span.ts";

/** What a hop is made of: where a call went, of which kind it was, and which run answered. */
export const SUMMARY_ATTRIBUTES: readonly string[] = [
  SEMANTIC.serverAddress,
  SEMANTIC.serverPort,
  SEMANTIC.httpMethod,
  SEMANTIC.messagingDestination,
  ATTRIBUTE.peerRunId,
];
const KEPT: ReadonlySet<unknown> = new Set(SUMMARY_ATTRIBUTES);

/**
 * Cuts an ended span down to what sampling leaves of it: ids, parent, kind, name, times, status,
 * its transaction, its counts, and what a hop is made of. So the transaction's path stays whole
 * and nothing counts as missing, at a tenth of the bytes.
 */
export function reduceToSummary(span: RecordedSpan): void {
  const { attributes } = span;
  let kept = 0;
  for (let i = 0; i < attributes.length; i += 2) {
    if (!KEPT.has(attributes[i])) continue;
    attributes[kept++] = attributes[i];
    attributes[kept++] = attributes[i + 1];
  }
  attributes.length = kept;
  attributes.push(ATTRIBUTE.spanSummary, true);
  span.events = undefined;
  span.links = undefined;
  // What a limit dropped went the way of all the rest.
  span.droppedAttributes = 0;
  span.droppedEvents = 0;
  span.droppedLinks = 0;
}
