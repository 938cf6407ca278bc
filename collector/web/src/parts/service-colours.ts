/** How many hues styles/base.css defines as `--service-0` and on. */
export const SERVICE_COLOURS = 8;

/**
 * A hue per service: the same on every page where that is possible, since it comes from the name,
 * and different ones within a list until the hues run out.
 */
export function serviceColours(services: Iterable<string>): ReadonlyMap<string, number> {
  const names = [...new Set(services)].sort();
  const colours = new Map<string, number>();
  const taken = new Set<number>();
  for (const name of names) {
    let colour = hash(name) % SERVICE_COLOURS;
    while (taken.has(colour) && taken.size < SERVICE_COLOURS) {
      colour = (colour + 1) % SERVICE_COLOURS;
    }
    taken.add(colour);
    colours.set(name, colour);
  }
  return colours;
}

/** The hue of a service alone, where no list is at hand. */
export function serviceColour(service: string): number {
  return hash(service) % SERVICE_COLOURS;
}

/** FNV-1a, 32 bits: short names spread well. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  return value >>> 0;
}
