import { ProtobufReader } from "../src/otlp/protobuf-reader.ts";

/** An `Export*ServiceResponse` or a `google.rpc.Status`, whatever it was encoded in. */
export interface OtlpAnswer {
  /** Only where the response holds it. */
  readonly partialSuccess?: { readonly rejected: number; readonly errorMessage: string };
  /** Of a `Status`. */
  readonly message?: string;
  /** Of a `Status`: the types of its details, and what a `BadRequest` among them describes. */
  readonly details?: readonly string[];
  readonly violations?: readonly string[];
}

/** By field, as (1) partial_success{1 rejected, 2 error_message}. */
export function readResponse(body: Buffer): OtlpAnswer {
  let answer: OtlpAnswer = {};
  eachField(body, (reader, field) => {
    if (field !== 1) throw new Error(`no Export*ServiceResponse has the field ${field}`);
    answer = { partialSuccess: readPartialSuccess(reader.bytes()) };
  });
  return answer;
}

/** `google.rpc.Status`: 1 code, 2 message, 3 details (Any: 1 type_url, 2 value). */
export function readStatus(body: Buffer): OtlpAnswer {
  let message = "";
  const details: string[] = [];
  const violations: string[] = [];
  eachField(body, (reader, field) => {
    if (field === 1) reader.varint32();
    else if (field === 2) message = reader.string();
    else if (field === 3) readDetail(reader.bytes(), { details, violations });
    else throw new Error(`no google.rpc.Status has the field ${field}`);
  });
  return { message, details, violations };
}

/** JSON of either, by the names of proto3's JSON mapping. */
export function readJsonAnswer(body: Buffer, isSuccess: boolean): OtlpAnswer {
  const json = JSON.parse(body.toString()) as JsonAnswer;
  if (!isSuccess) {
    const details = json.details ?? [];
    return {
      message: json.message ?? "",
      details: details.map((detail) => detail["@type"]),
      violations: details.flatMap(({ fieldViolations = [] }) =>
        fieldViolations.map(({ description }) => description),
      ),
    };
  }
  if (json.partialSuccess === undefined) return {};
  const { errorMessage = "", ...counts } = json.partialSuccess;
  const [rejected = "0"] = Object.values(counts);
  return { partialSuccess: { rejected: Number(rejected), errorMessage } };
}

interface JsonAnswer {
  readonly message?: string;
  readonly details?: readonly {
    readonly "@type": string;
    readonly fieldViolations?: readonly { readonly description: string }[];
  }[];
  readonly partialSuccess?: Readonly<Record<string, string>> & { readonly errorMessage?: string };
}

function readPartialSuccess(body: Buffer): { rejected: number; errorMessage: string } {
  let rejected = 0;
  let errorMessage = "";
  eachField(body, (reader, field) => {
    if (field === 1) rejected = reader.varint32();
    else if (field === 2) errorMessage = reader.string();
    else throw new Error(`no Export*PartialSuccess has the field ${field}`);
  });
  return { rejected, errorMessage };
}

function readDetail(body: Buffer, into: { details: string[]; violations: string[] }): void {
  let type = "";
  let value: Buffer = Buffer.alloc(0);
  eachField(body, (reader, field) => {
    if (field === 1) type = reader.string();
    else value = reader.bytes();
  });
  into.details.push(type);
  if (type.endsWith("google.rpc.BadRequest")) into.violations.push(...readBadRequest(value));
}

/** `BadRequest`: 1 field_violations{1 field, 2 description}. */
function readBadRequest(body: Buffer): readonly string[] {
  const descriptions: string[] = [];
  eachField(body, (reader) => {
    eachField(reader.bytes(), (violation, field) => {
      const text = violation.string();
      if (field === 2) descriptions.push(text);
    });
  });
  return descriptions;
}

function eachField(body: Buffer, visit: (reader: ProtobufReader, field: number) => void): void {
  const reader = new ProtobufReader(body);
  while (!reader.isAtEnd()) visit(reader, reader.tag() >>> 3);
}
