import { BlockList, isIP } from "node:net";

/** Words that stand for networks: RFC 1122 and 4291 loopback; RFC 1918 and 4193 private. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ["127.0.0.0/8", "::1/128"],
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"],
};
const BITS = { 4: 32, 6: 128 } as const;

/** Whether the text is a network: `10.0.0.0/8`, an address alone, `loopback` or `private`. */
export function isNetwork(text: string): boolean {
  return Object.hasOwn(NAMED, text) || findSubnet(text) !== undefined;
}

/** Networks that an address is in or not; what `isNetwork` denies is in none. */
export class NetworkList {
  readonly #subnets = new BlockList();

  constructor(networks: readonly string[]) {
    for (const text of networks.flatMap((network) => NAMED[network] ?? [network])) {
      const subnet = findSubnet(text);
      if (subnet !== undefined) {
        this.#subnets.addSubnet(subnet.address, subnet.prefixBits, subnet.family);
      }
    }
  }

  /** Names are in no network: what a name stands for is whoever answers for it to say. */
  has(address: string): boolean {
    const version = isIP(address);
    // Of an address with a zone only its own machine knows which network it is in.
    if (version === 0 || address.includes("%")) return false;
    return this.#subnets.check(address, version === 6 ? "ipv6" : "ipv4");
  }
}

interface Subnet {
  readonly address: string;
  readonly prefixBits: number;
  readonly family: "ipv4" | "ipv6";
}

function findSubnet(text: string): Subnet | undefined {
  const [address = "", prefix, ...rest] = text.split("/");
  const version = isIP(address);
  if ((version !== 4 && version !== 6) || address.includes("%") || rest.length > 0)
    return undefined;
  const prefixBits = prefix === undefined ? BITS[version] : Number(prefix);
  if (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) return undefined;
  if (prefixBits > BITS[version]) return undefined;
  return { address, prefixBits, family: version === 6 ? "ipv6" : "ipv4" };
}
