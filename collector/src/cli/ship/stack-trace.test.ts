import { expect, test } from "vitest";
import { RecordJoiner, type TextLine } from "./record-joiner.ts";

const NO_CUTS = { add: () => undefined, hasBetween: () => false };

/** The records that `auto` makes of the text. */
function join(text: string): string[] {
  const joiner = new RecordJoiner("auto", NO_CUTS);
  const records: TextLine[] = [];
  text.split("\n").forEach((line, index) => {
    joiner.push({ text: line, start: index, end: index + 1 }, records);
  });
  joiner.end(records);
  return records.map((record) => record.text);
}

const JAVA = `Exception in thread "main" java.lang.IllegalStateException: A book has a null property
\tat com.example.Author.getBookIds(Author.java:38)
\tat com.example.Bootstrap.main(Bootstrap.java:14)
\tSuppressed: java.io.IOException: close
\t\tat com.example.Res.close(Res.java:9)
Caused by: java.lang.NullPointerException
\tat com.example.Book.getId(Book.java:22)
\t... 1 more`;
const JAVA_LOGGED = `2026-01-31 12:00:00,123 ERROR [main] c.e.Shop - cannot charge
java.lang.IllegalStateException: declined
\tat com.example.Shop.charge(Shop.java:7)
Caused by: java.net.SocketTimeoutException: Read timed out
\tat java.base/java.net.Socket.read(Socket.java:1)
\t... 12 common frames omitted`;
const NODE = `Error: boom
    at charge (/app/shop.js:3:9)
    at async main (/app/main.js:9:3) {
  code: 'E_DECLINED',
  [cause]: Error: inner
      at pay (/app/pay.js:1:1)
}`;
const NODE_CRASH = `/app/shop.js:3
    throw new Error("boom");
    ^

Error: boom
    at Object.<anonymous> (/app/shop.js:3:11)

Node.js v24.1.0`;
const PYTHON = `Traceback (most recent call last):
  File "/app/shop.py", line 3, in charge
    raise ValueError("declined")
ValueError: declined

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/shop.py", line 9, in <module>
    charge()
RuntimeError: gave up`;
const PYTHON_LOGGED = `2026-01-31 12:00:00,123 ERROR shop cannot charge
Traceback (most recent call last):
  File "/app/shop.py", line 3, in charge
KeyError: 'card'`;
const GO = `panic: runtime error: index out of range [3] with length 3 [recovered]
\tpanic: again
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]

goroutine 1 [running]:
main.(*shop).charge(0xc0000140a0, {0x1, 0x2})
\t/app/main.go:8 +0x1d
created by main.main in goroutine 1
\t/app/main.go:5 +0x5

goroutine 18 [select, 2 minutes]:
net/http.(*persistConn).readLoop(0xc00012)
\t/usr/local/go/src/net/http/transport.go:2 +0x9
exit status 2`;
const GO_HTTP = `2026/01/31 12:00:00 http: panic serving 127.0.0.1:1: boom
goroutine 7 [running]:
net/http.(*conn).serve.func1()
\t/usr/local/go/src/net/http/server.go:1 +0xb`;
const RUBY = `shop.rb:3:in 'Shop#charge': declined (RuntimeError)
\tfrom shop.rb:7:in 'block in <main>'
\tfrom shop.rb:9:in '<main>'`;
const RUBY_LOGGED = `E, [2026-01-31T12:00:00.1 #1] ERROR -- : declined (RuntimeError)
shop.rb:3:in \`charge'
shop.rb:9:in \`<main>'`;
const DOTNET = `Unhandled exception. System.InvalidOperationException: outer
 ---> System.ArgumentException: inner
   at Shop.Charge() in /app/Shop.cs:line 5
   --- End of inner exception stack trace ---
   at Shop.Main() in /app/Shop.cs:line 9
--- End of stack trace from previous location ---
   at Shop.Other()`;
const PHP = `PHP Fatal error:  Uncaught Exception: declined in /app/shop.php:3
Stack trace:
#0 /app/shop.php(7): charge()
#1 {main}
  thrown in /app/shop.php on line 3`;
const RUST = `thread 'main' panicked at src/main.rs:2:5:
index out of bounds
stack backtrace:
   0: rust_begin_unwind
note: run with \`RUST_BACKTRACE=full\` for a verbose backtrace`;
const PRETTY_JSON = `{
  "msg": "over lines",
  "list": [
    1
  ]
}`;

test.each(
  Object.entries({
    JAVA,
    JAVA_LOGGED,
    NODE,
    NODE_CRASH,
    PYTHON,
    PYTHON_LOGGED,
    GO,
    GO_HTTP,
    RUBY,
    RUBY_LOGGED,
    DOTNET,
    PHP,
    RUST,
    PRETTY_JSON,
  }),
)("%s is one record, between two others", (_, trace) => {
  expect(join(`before\n${trace}\nafter`)).toEqual(["before", trace, "after"]);
  expect(join(`{"msg":"before"}\n${trace}\n{"msg":"after"}`)).toEqual([
    '{"msg":"before"}',
    trace,
    '{"msg":"after"}',
  ]);
  expect(join(`${trace}\n2026-01-31T12:00:01Z next`)).toEqual([trace, "2026-01-31T12:00:01Z next"]);
});

test.each([
  ["lines that have nothing to do with each other", ["one", "two", "three"]],
  ["JSON lines, whatever is in them", ['{"stack":"Error\\n at x"}', '{"a":{"b":1}}']],
  ["a bracket that closes nothing", ["done", "}"]],
  ["a class name under a line that tells of no trouble", ["INFO started", "com.example.Error: x"]],
  [
    "a traceback under a line that tells of no trouble",
    ["INFO started", "Traceback (most recent call last):\n  File x\nE: y"],
  ],
  ["events with times, indented by one", ["2026-01-31T12:00:00Z a", " 2026-01-31T12:00:01Z b"]],
  [
    "a line after the end of a Python trace",
    ["Traceback (most recent call last):\n  File x\nE: y", "next"],
  ],
])("apart stay %s", (_, records) => {
  expect(join(records.join("\n"))).toEqual(records);
});

test("blank lines are no records, and end none that goes on", () => {
  expect(join("\n\na\n\n\tindented\n\n")).toEqual(["a", "\tindented"]);
});
