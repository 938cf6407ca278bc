import { type Resource, resourceFromAttributes } from "@opentelemetry/resources";

export type ResourceAttributes = Readonly<Record<string, string | number>>;

/** The same resource that the spool sends, for the SDK's exporters. */
export function createResource(attributes: ResourceAttributes): Resource {
  return resourceFromAttributes({ ...attributes });
}
