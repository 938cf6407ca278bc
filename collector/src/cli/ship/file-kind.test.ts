import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { type FileKind, findFileKind } from "./file-kind.ts";

test.each<[string, Buffer, FileKind]>([
  ["nothing", Buffer.alloc(0), "unknown"],
  ["text", Buffer.from("hello\n"), "text"],
  ["text that is not UTF-8", Buffer.from([0xe4, 0xf6, 0x0a, 0x61]), "text"],
  ["gzip", gzipSync("hello"), "gzip"],
  ["zstd", zstdCompressSync("hello"), "zstd"],
  ["the first byte of gzip", Buffer.from([0x1f]), "unknown"],
  ["the first bytes of zstd", Buffer.from([0x28, 0xb5]), "unknown"],
  ["half a byte order mark", Buffer.from([0xef, 0xbb]), "unknown"],
  ["UTF-16 with its mark", Buffer.from("\ufeffhi\n", "utf16le"), "text"],
  ["UTF-16 without", Buffer.from("hi\n", "utf16le"), "binary"],
  ["a program", Buffer.from("\u007fELF\u0002\u0001\u0000\u0000"), "binary"],
  ["a hole and then text", Buffer.from(`${"\0".repeat(100)}line\n`), "text"],
  ["a hole only", Buffer.alloc(1024), "text"],
])("%s", (_, head, want) => {
  expect(findFileKind(head)).toBe(want);
});
