/** What is sent, how often, and by how many clients. */
import type { LoadOrder } from "./send-load.ts";

export interface ReceiveCase {
  /** How the rows name it. */
  readonly name: string;
  readonly load: Pick<LoadOrder, "protocol" | "shape" | "connections">;
  /** Requests of one turn. */
  readonly requests: number;
}

export interface ReceivePlan {
  /** Each with servers and a broker of its own, everything fresh. */
  readonly rounds: number;
  readonly cases: readonly ReceiveCase[];
  /** Of the first case, before all turns: a JIT compiler has to see its code first. */
  readonly warmUpRequests: number;
  /** Of a turn's requests, before each turn. */
  readonly warmUpShare: number;
  readonly overloadMs: number;
}

interface Size {
  readonly records: number;
  readonly connections: number;
  readonly requests: number;
}

/** Small requests come from many clients, each of which waits for its answer. */
const SIZES: readonly Size[] = [
  { records: 1000, connections: 8, requests: 500 },
  { records: 10, connections: 64, requests: 12_000 },
  { records: 1, connections: 64, requests: 16_000 },
];
const WAYS = [
  { name: "plain", protocol: "http", format: "protobuf", isZipped: false },
  { name: "gzip", protocol: "http", format: "protobuf", isZipped: true },
  { name: "JSON", protocol: "http", format: "json", isZipped: false },
  { name: "gRPC", protocol: "grpc", format: "protobuf", isZipped: false },
] as const;

export const PLAIN_1000 = caseName("plain", 1000);
export const GZIP_1000 = caseName("gzip", 1000);

/** A turn in which requests of this case come at a multiple of what the server bears. */
export const OVERLOADED = GZIP_1000;
export const OVERLOAD_FACTOR = 3;
/** More clients than any server lets in at once; those that wait for an answer send nothing. */
export const OVERLOAD_CONNECTIONS = 512;

export const CASES: readonly ReceiveCase[] = SIZES.flatMap((size) =>
  WAYS.map((way) => receiveCase(way, size)),
);
export const FULL: ReceivePlan = {
  rounds: 5,
  cases: CASES,
  warmUpRequests: 1500,
  warmUpShare: 0.5,
  overloadMs: 6000,
};
/** Within three minutes. */
export const SHORT: ReceivePlan = {
  rounds: 2,
  cases: CASES.map((one) => ({ ...one, requests: Math.ceil(one.requests / 3) })),
  warmUpRequests: 700,
  warmUpShare: 0.3,
  overloadMs: 3000,
};

function receiveCase(way: (typeof WAYS)[number], size: Size): ReceiveCase {
  const { name, protocol, format, isZipped } = way;
  const { records, connections, requests } = size;
  return {
    name: caseName(name, records),
    load: { protocol, connections, shape: { records, format, isZipped } },
    requests,
  };
}

function caseName(way: string, records: number): string {
  return `${way}, ${records === 1 ? "1 log" : `${records} logs`} per request`;
}
