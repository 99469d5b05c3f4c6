// The function behind Node.js' own HTTP server: one process, one thread, one context for all requests.

import http from "node:http";
import { answer } from "./request.js";

const limit = Number(process.argv[2]);

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const [status, body] = answer(request.url, Buffer.concat(chunks), limit);
    const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    response.writeHead(status, { "content-length": length, "content-type": "text/plain; charset=utf-8" });
    response.end(body);
  });
});
// A load generator's connections stay open for as long as it likes.
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
