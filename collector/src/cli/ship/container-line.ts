/** A line of a container's output, out of the wrapping that its runtime writes it in. */
export interface ContainerLine {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  /** When the runtime took it, as RFC 3339 says it. */
  readonly time: string;
  /** The line goes on in the next one of its stream. */
  readonly isPartial: boolean;
}

/** Kubernetes, "CRI log format": `<time> <stream> <tag>[:<tag>…] <text>`; a tag is P or F. */
const CRI = /^(\d{4}-\d{2}-\d{2}T\S+) (stdout|stderr) ([FP])(?::\S*)?(?: |$)/;
/** Docker's json-file driver: `{"log":"text\n","stream":"stdout","time":"…"}`. */
const DOCKER_START = '{"log":"';
const T_PLACE = 10;

/** Undefined where the line is not of a container runtime. */
export function findContainerLine(line: string): ContainerLine | undefined {
  if (line.startsWith(DOCKER_START)) return findDockerLine(line);
  if (line[T_PLACE] !== "T") return undefined;
  const [head, time = "", stream, tag] = CRI.exec(line) ?? [];
  if (head === undefined || !isStream(stream)) return undefined;
  return { stream, text: line.slice(head.length), time, isPartial: tag === "P" };
}

function findDockerLine(line: string): ContainerLine | undefined {
  const json = findObject(line);
  if (json === undefined) return undefined;
  const { log, stream, time } = json;
  if (typeof log !== "string" || typeof time !== "string" || !isStream(stream)) return undefined;
  return { stream, text: log.replace(/\r?\n$/, ""), time, isPartial: !log.endsWith("\n") };
}

function findObject(line: string): { log?: unknown; stream?: unknown; time?: unknown } | undefined {
  try {
    return JSON.parse(line) as object;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isStream(value: unknown): value is ContainerLine["stream"] {
  return value === "stdout" || value === "stderr";
}
