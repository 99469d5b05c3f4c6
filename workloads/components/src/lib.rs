//! What the Rust functions share, over HTTP: the query of a request is the environment, and the answer the body. A component
//! is the source of a function's module linked with this crate in place of `workloads/rust/input`, and refuses what that one
//! refuses. It is written against the bare bindings, as a library between would be the runtime's handicap.

mod input;
mod query;

pub use input::{Refusal, answer, iterations, number, repeat, text};

use std::cell::RefCell;
use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

/// What a stream takes at once, in bytes.
const CHUNK_BYTES: usize = 4096;

thread_local! {
    /// The variables of the request that is answered.
    static ENVIRONMENT: RefCell<Vec<(String, Vec<u8>)>> = const { RefCell::new(Vec::new()) };
    /// What it is answered with: the function's output, or its refusal.
    static ANSWER: RefCell<Result<String, String>> = const { RefCell::new(Ok(String::new())) };
}

struct Function;

wasip2::http::proxy::export!(Function);

unsafe extern "C" {
    /// What the compiler makes of the function's `main`: it takes nothing, and gives the exit code.
    fn __main_void() -> i32;
}

impl Guest for Function {
    fn handle(request: IncomingRequest, answer: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (_, query) = target.split_once('?').unwrap_or_default();
        ENVIRONMENT.set(query::variables(query));
        // SAFETY: the compiler makes one function of this name, with this signature, of a program for this target.
        let code = unsafe { __main_void() };
        match ANSWER.replace(Ok(String::new())) {
            Ok(line) if code == 0 => respond(answer, 200, line.as_bytes()),
            Ok(_) => respond(answer, 500, format!("exit code {code}\n").as_bytes()),
            Err(refusal) => respond(answer, 500, refusal.as_bytes()),
        }
    }
}

/// Sends an answer. Nobody is there to be told when whoever asked is gone.
fn respond(answer: ResponseOutparam, status: u16, bytes: &[u8]) {
    let fields = Fields::new();
    let _ = fields.append("content-type", b"text/plain; charset=utf-8");
    let response = OutgoingResponse::new(fields);
    let _ = response.set_status_code(status);
    let body = response.body().expect("its body is taken once");
    ResponseOutparam::set(answer, Ok(response));
    if let Ok(stream) = body.write() {
        for chunk in bytes.chunks(CHUNK_BYTES) {
            let _ = stream.blocking_write_and_flush(chunk);
        }
    }
    let _ = OutgoingBody::finish(body, None);
}
