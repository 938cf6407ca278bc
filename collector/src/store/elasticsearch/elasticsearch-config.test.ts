import { expect, test } from "vitest";
import { elasticsearchConnection } from "./elasticsearch-config.ts";

const CONFIG = { urls: ["https://127.0.0.1:9200"], login: undefined, ca: undefined };

test("says who we are in a header, in the scheme of each login", () => {
  expect(elasticsearchConnection(CONFIG).headers).toEqual({});
  const key = { kind: "api-key", key: "aWQ6a2V5" } as const;
  const { headers } = elasticsearchConnection({ ...CONFIG, login: key });
  expect(headers).toEqual({ authorization: "ApiKey aWQ6a2V5" });
  const password = { kind: "password", username: "clew", password: "a:ü" } as const;
  const basic = elasticsearchConnection({ ...CONFIG, login: password }).headers.authorization;
  const [, encoded = ""] = basic?.split(" ") ?? [];
  expect(Buffer.from(encoded, "base64").toString("utf8")).toBe("clew:a:ü");
});

test("can be sent to a thread", () => {
  const ca = { path: "ca.pem", text: "certificates" };
  const connection = elasticsearchConnection({ ...CONFIG, ca });
  expect(structuredClone(connection)).toEqual(connection);
  expect(connection.ca).toBe("certificates");
});
