// The function as a worker, in the form of Cloudflare's.

import { answer } from "./request.js";

const NOTHING = new Uint8Array();

export default {
  async fetch(request, { OUTPUT_BYTES }) {
    const input = request.method === "POST" ? new Uint8Array(await request.arrayBuffer()) : NOTHING;
    const [status, body] = answer(request.url, input, Number(OUTPUT_BYTES));
    return new Response(body, { status });
  },
};
