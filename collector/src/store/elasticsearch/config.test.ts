import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readElasticsearchConfig } from "./config.ts";

const dir = mkdtempSync(join(tmpdir(), "clew-elasticsearch-config-"));
afterAll(() => rmSync(dir, { recursive: true }));

const URL_SET = { CLEW_ELASTICSEARCH_URL: "https://127.0.0.1:9200" };
const ENCODED = Buffer.from("id-1:key-secret").toString("base64");

test("without an address there is none", () => {
  expect(readElasticsearchConfig({})).toBeUndefined();
  expect(readElasticsearchConfig({ CLEW_ELASTICSEARCH_URL: " " })).toBeUndefined();
});

test("takes several addresses, with a path, and drops what ends them", () => {
  const CLEW_ELASTICSEARCH_URL = "https://one:9200/, https://two.example/search/ http://[::1]:9200";
  const [first, ...others] = CLEW_ELASTICSEARCH_URL.split(" ");
  expect(
    readElasticsearchConfig({ CLEW_ELASTICSEARCH_URL: `${first}${others.join(",")}` }),
  ).toEqual({
    urls: ["https://one:9200", "https://two.example/search", "http://[::1]:9200"],
    login: undefined,
    ca: undefined,
  });
});

test.each([ENCODED, "id-1:key-secret"])("takes an API key as %s", (key) => {
  const file = join(dir, "key");
  writeFileSync(file, `${key}\n`);
  const want = { kind: "api-key", key: ENCODED };
  for (const env of [
    { CLEW_ELASTICSEARCH_API_KEY: key },
    { CLEW_ELASTICSEARCH_API_KEY_FILE: file },
  ]) {
    expect(readElasticsearchConfig({ ...URL_SET, ...env })?.login).toEqual(want);
  }
});

test("takes a user with a password, which may hold anything", () => {
  const env = {
    ...URL_SET,
    CLEW_ELASTICSEARCH_USERNAME: "clew",
    CLEW_ELASTICSEARCH_PASSWORD: "a:b ü",
  };
  const login = { kind: "password", username: "clew", password: "a:b ü" };
  expect(readElasticsearchConfig(env)?.login).toEqual(login);
});

test.each<[Record<string, string>, RegExp]>([
  [{ CLEW_ELASTICSEARCH_URL: "elastic:9200" }, /_URL=elastic:9200: .*https:\/\/host:port/],
  [{ CLEW_ELASTICSEARCH_URL: "ftp://elastic" }, /_URL=ftp:\/\/elastic: .*https:\/\/host:port/],
  [{ CLEW_ELASTICSEARCH_URL: "https://e:9200/?q=1" }, /_URL=.*https:\/\/host:port/],
  [{ CLEW_ELASTICSEARCH_URL: "https://u:hidden@e:9200" }, /_URL=\(secret\): .*_USERNAME$/],
  [{ CLEW_ELASTICSEARCH_API_KEY: "hidden" }, /_API_KEY=\(set\): .*_URL is not set$/],
  [{ CLEW_ELASTICSEARCH_PASSWORD_FILE: "hidden" }, /_PASSWORD=\(set\): .*_URL is not set$/],
  [{ ...URL_SET, CLEW_ELASTICSEARCH_API_KEY: "hidden key" }, /_API_KEY=\(secret\): .*base64/],
  [
    { ...URL_SET, CLEW_ELASTICSEARCH_API_KEY: "hidden", CLEW_ELASTICSEARCH_USERNAME: "clew" },
    /_API_KEY=\(secret\): .*not both/,
  ],
  [{ ...URL_SET, CLEW_ELASTICSEARCH_USERNAME: "clew" }, /_PASSWORD=: .*_PASSWORD_FILE/],
  [{ ...URL_SET, CLEW_ELASTICSEARCH_PASSWORD: "hidden" }, /_USERNAME=: /],
  [
    { CLEW_ELASTICSEARCH_URL: "http://elastic:9200", CLEW_ELASTICSEARCH_API_KEY: "hidden" },
    /_URL=http:\/\/elastic:9200: allowed is https where .*CLEW_INSECURE=1/,
  ],
  [{ ...URL_SET, CLEW_ELASTICSEARCH_CA: "/nowhere" }, /_CA=\/nowhere: the file cannot be read/],
  [
    { CLEW_ELASTICSEARCH_URL: "http://127.0.0.1:9200", CLEW_ELASTICSEARCH_CA: "ca.pem" },
    /_CA=ca.pem: allowed is nothing without https/,
  ],
])("%j is refused with one line that shows no secret", (env, message) => {
  const read = () => readElasticsearchConfig(env);
  expect(read).toThrow(message);
  expect(read).not.toThrow(/hidden|\n/);
});

test("a key may go in the clear on this machine, or where somebody says so", () => {
  const login = { CLEW_ELASTICSEARCH_API_KEY: ENCODED };
  const near = { ...login, CLEW_ELASTICSEARCH_URL: "http://localhost:9200" };
  expect(readElasticsearchConfig(near)?.login).toBeDefined();
  const far = { ...login, CLEW_ELASTICSEARCH_URL: "http://elastic:9200", CLEW_INSECURE: "1" };
  expect(readElasticsearchConfig(far)?.login).toBeDefined();
});

test("a file of certificates must hold some", () => {
  const file = join(dir, "ca.pem");
  writeFileSync(file, "no certificate");
  const read = () => readElasticsearchConfig({ ...URL_SET, CLEW_ELASTICSEARCH_CA: file });
  expect(read).toThrow(`CLEW_ELASTICSEARCH_CA=${file}: allowed is a file with certificates in PEM`);
});
