import { readFile } from "node:fs/promises";
import { type AddressInfo, isIPv6 } from "node:net";
import { endianness } from "node:os";

/**
 * A line of Linux's /proc/net/udp and udp6, whose fields are separated by blanks: slot, local
 * address and port in hexadecimal digits, nine more, reference count, pointer, drops.
 */
const LOCAL_ADDRESS_FIELD = 1;

/** Datagrams that the kernel had no room for, of one socket. */
export class KernelDrops {
  readonly #file: string;
  readonly #address: string;

  constructor({ address, port }: Pick<AddressInfo, "address" | "port">) {
    this.#file = isIPv6(address) ? "/proc/net/udp6" : "/proc/net/udp";
    this.#address = toProcAddress(address, port);
  }

  /** Undefined where the system does not tell. */
  async read(): Promise<number | undefined> {
    let table: string;
    try {
      table = await readFile(this.#file, "latin1");
    } catch (error) {
      // Only Linux has it.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    return findDrops(table, this.#address);
  }
}

export function findDrops(table: string, address: string): number | undefined {
  for (const line of table.split("\n")) {
    const fields = line.trim().split(/\s+/);
    if (fields[LOCAL_ADDRESS_FIELD] !== address) continue;
    const drops = Number(fields.at(-1));
    return Number.isSafeInteger(drops) ? drops : undefined;
  }
  return undefined;
}

/** `127.0.0.1`, 514 → `0100007F:0202`: 32-bit words as this machine's memory holds them. */
export function toProcAddress(address: string, port: number, order = endianness()): string {
  const bytes = isIPv6(address) ? bytesOfIpv6(address) : address.split(".").map(Number);
  const buffer = Buffer.from(bytes);
  if (order === "LE") buffer.swap32();
  return `${buffer.toString("hex")}:${port.toString(16).padStart(4, "0")}`.toUpperCase();
}

/** Without a zone; the last two groups may be an IPv4 address, as in `::ffff:127.0.0.1`. */
function bytesOfIpv6(address: string): readonly number[] {
  const [plain = ""] = address.split("%");
  const hex = plain.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (...[, a, b, c, d]) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((n) => n.toString(16)).join(":"),
  );
  const [head = [], tail = []] = hex
    .split("::")
    .map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return [...head, ...zeros, ...tail]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff]);
}
