// A worker that loads the function into an isolate of its own for each request, and lets that answer.

let number = 0;

export default {
  fetch(request, { LOADER, SOURCE, OUTPUT_BYTES, DATE }) {
    const code = () => ({
      compatibilityDate: DATE,
      mainModule: "worker.js",
      modules: { "worker.js": SOURCE },
      env: { OUTPUT_BYTES },
      globalOutbound: null,
    });
    // A name that was never given before is a new isolate.
    return LOADER.get(`${number++}`, code).getEntrypoint().fetch(request);
  },
};
