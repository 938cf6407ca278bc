import { expect, test } from "vitest";
import { FIELD, LETTER_FIELD, SEARCHED_ONLY, STREAM } from "./document-fields.ts";
import { elasticsearchObjects, type TemplateOptions } from "./templates.ts";

const COMPLETE = { version: "9.5.3", modules: ["data-streams", "x-pack-ilm", "mapper-extras"] };

function objects(options: Partial<TemplateOptions> = {}) {
  const all = elasticsearchObjects({ ...COMPLETE, retentionDays: 7, ...options });
  return new Map(all.map((object) => [`${object.kind} ${object.name}`, object.body]));
}

function typesOf(properties: object, path = ""): [string, string][] {
  return Object.entries(properties).flatMap(([name, mapping]) =>
    "properties" in mapping
      ? typesOf(mapping.properties, `${path}${name}.`)
      : [[`${path}${name}`, String(mapping.type)] as [string, string]],
  );
}

test("each stream has a template above those that Elasticsearch brings", () => {
  const patterns = { "logs-clew": "logs-clew-*", "traces-clew": "traces-clew-*" };
  for (const [name, pattern] of Object.entries({
    ...patterns,
    [STREAM.deadLetters]: "clew-dead-letters*",
  })) {
    expect(objects().get(`index template ${name}`)).toMatchObject({
      index_patterns: [pattern],
      data_stream: {},
      priority: 500,
      ignore_missing_component_templates: ["clew@custom"],
    });
  }
});

test("what a template is composed of comes before it", () => {
  const seen: string[] = ["clew@custom"];
  for (const { kind, name, body } of elasticsearchObjects({ ...COMPLETE, retentionDays: 7 })) {
    for (const part of (body.composed_of ?? []) as string[]) expect(seen).toContain(part);
    if (kind === "component template") seen.push(name);
  }
  expect(seen.length).toBeGreaterThan(3);
});

test("every field is mapped, and those that are searched only are left out of _source", () => {
  const mappingsOf = (name: string) => {
    const body = objects().get(`component template ${name}`) as {
      template: { mappings: { dynamic: boolean; properties: object; _source?: object } };
    };
    return body.template.mappings;
  };
  const records = mappingsOf("clew-records");
  expect(
    typesOf(records.properties)
      .map(([name]) => name)
      .toSorted(),
  ).toEqual(Object.values(FIELD).toSorted());
  expect(records).toMatchObject({ dynamic: false, _source: { excludes: SEARCHED_ONLY } });
  const letters = mappingsOf("clew-dead-letters");
  expect(
    typesOf(letters.properties)
      .map(([name]) => name)
      .toSorted(),
  ).toEqual(Object.values(LETTER_FIELD).toSorted());
  expect(new Map(typesOf(records.properties)).get(FIELD.message)).toBe("match_only_text");
});

test("types that the server has not are not named", () => {
  const text = JSON.stringify([...objects({ modules: [] }).values()]);
  for (const type of ["match_only_text", "wildcard", "constant_keyword", "scaled_float"]) {
    expect(text).not.toContain(`"${type}"`);
  }
});

test.each([
  ["9.5.3", COMPLETE.modules, "stream"],
  ["8.14.0", COMPLETE.modules, "stream"],
  ["8.13.4", COMPLETE.modules, "policy"],
  ["8.9.0", ["x-pack-ilm"], "policy"],
  ["9.5.3", [], "stream"],
])("version %s with %j: the lifecycle is the %s's", (version, modules, keeper) => {
  const made = objects({ version, modules, retentionDays: 12 });
  const settings = JSON.stringify(made.get("component template clew-settings"));
  const policy = JSON.stringify(made.get("lifecycle policy clew") ?? null);
  if (keeper === "stream") {
    expect(settings).toContain('"lifecycle":{"data_retention":"12d"}');
    expect(policy).toBe("null");
  } else {
    expect(settings).toContain('"lifecycle":{"name":"clew"}');
    expect(policy).toContain('"min_age":"12d"');
  }
});
