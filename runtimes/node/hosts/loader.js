// A worker that loads the function into an isolate of its own for each request, and lets that answer.

let number = 0;

export default {
  async fetch(request, { LOADER, SOURCE, OUTPUT_BYTES, DATE }) {
    const code = () => ({
      compatibilityDate: DATE,
      mainModule: "worker.js",
      modules: { "worker.js": SOURCE },
      env: { OUTPUT_BYTES },
      globalOutbound: null,
    });
    // A name that was never given before is a new isolate.
    const response = await LOADER.get(`${number++}`, code).getEntrypoint().fetch(request);
    // A body that is passed on as it comes is sent in pieces, and on a connection that is kept the second one waits for the
    // first one's delayed acknowledgement, 40 ms.
    return new Response(await response.arrayBuffer(), response);
  },
};
