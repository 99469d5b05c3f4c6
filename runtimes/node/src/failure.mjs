// Failures, as the protocol has them.

/** What a request is answered with that cannot be done. */
export class Failed extends Error {
  /** @param error `{failure: {...}}` or `{"wrong-answer": "..."}` */
  constructor(error) {
    super(error.failure?.message ?? error["wrong-answer"] ?? error.failure?.failure);
    this.error = error;
  }
}

const STDERR_EXCERPT_BYTES = 4096;

const failed = (failure) => new Failed({ failure });

/** The platform's own fault. */
export const hostFailure = (message) => failed({ failure: "host", message });

/** The module or script is malformed, invalid, or needs `proposals` that the engine does not have. */
export const rejected = (message, proposals = []) => failed({ failure: "rejected", message, proposals });

/** A missing or ill-typed import or export. */
export const unlinked = (message) => failed({ failure: "link", message });

/** A trap, with the start of what was on standard error. */
export const trapped = (kind, message, stderr = Buffer.alloc(0)) =>
  failed({ failure: "trap", kind, message, stderr: stderr.toString("utf8", 0, STDERR_EXCERPT_BYTES) });

/** The function did not end in time. */
export const timedOut = (limits) => failed({ failure: "timeout", limit_ns: limits.wall_time_ns });

/** The function wanted more memory than it may have. */
export const outOfMemory = (limits) => failed({ failure: "memory", limit_bytes: limits.memory_bytes });

/** The function wrote more than it may. */
export const outputLimit = (limits) => failed({ failure: "output-limit", limit_bytes: limits.output_bytes });

/** The engine itself died. */
export const crashed = (message) => failed({ failure: "crashed", message });

/** The function gave another answer than it declares. */
export const wrongAnswer = (message) => new Failed({ "wrong-answer": message });
