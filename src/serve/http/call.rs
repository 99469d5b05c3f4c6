//! A request that names a function, from its first byte to its answer.

use super::State;
use super::answer::Refusal;
use super::{cgi, query};
use crate::serve::function::Function;
use crate::serve::platform::{Call, Reply};
use crate::serve::queue::Busy;
use crate::serve::{Phases, Start};
use actix_http::{Payload, Request};
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpResponse, web};
use futures_util::StreamExt;
use futures_util::future::{self, Either, LocalBoxFuture, Ready};
use isobar_core::Outcome;
use std::sync::Arc;
use std::time::Instant;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
static ISOBAR_START: HeaderName = HeaderName::from_static("x-isobar-start");
static CONTENT_TYPE_OPTIONS: HeaderName = HeaderName::from_static("x-content-type-options");

/// An id of a client is taken over up to so many characters.
const LONGEST_ID: usize = 64;

/// Names and values.
type Variables = Vec<(String, String)>;

/// An answer that is there, or will be.
pub(super) type Answering = Either<Ready<HttpResponse>, LocalBoxFuture<'static, HttpResponse>>;

/// An answer that is there.
pub(super) fn ready(response: HttpResponse) -> Answering {
    Either::Left(future::ready(response))
}

/// Answers a request. Where nothing has to be waited for, nothing is made for waiting.
pub(super) fn function(mut request: Request, state: &web::Data<State>) -> Answering {
    let asked = Asked { since: Instant::now(), id: request_id(request.headers()) };
    let table = state.platform.table();
    // The path as it was sent: what is encoded in some other way is another name, and no function has it.
    let function = request.path().strip_prefix('/').and_then(|name| table.find(name));
    let (function, env) = match called(function, &request) {
        Ok(called) => called,
        Err(refusal) => return ready(asked.answer(function.map(|function| &**function), Err(refusal), state)),
    };
    if has_body(request.headers()) {
        let (function, state, payload) = (function.clone(), state.clone(), request.take_payload());
        return Either::Right(Box::pin(async move {
            let called = with_body(&function, env, &request, payload, &state).await;
            asked.answer(Some(&function), called, &state)
        }));
    }
    let mut admitted = state.platform.admit(call(function, env, &request, Vec::new()));
    if let Some(reply) = state.platform.at_once(&mut admitted) {
        return ready(asked.answer(Some(function), Ok(reply), state));
    }
    let waiting = state.platform.queue(admitted);
    let (function, state) = (function.clone(), state.clone());
    Either::Right(Box::pin(async move {
        let called = waiting.await.map_err(|Busy| Refusal::Busy);
        asked.answer(Some(&function), called, &state)
    }))
}

/// A request that is being answered.
struct Asked {
    since: Instant,
    id: HeaderValue,
}

impl Asked {
    /// The response to what came of it; `function` is nothing where it names none.
    fn answer(self, function: Option<&Function>, called: Result<Reply, Refusal>, state: &State) -> HttpResponse {
        let Asked { since, id } = self;
        let name = function.map_or("-", |function| function.spec.name.as_str());
        let id_text = id.to_str().unwrap_or_default();
        let mut response = match (called, function) {
            (Ok(reply), Some(function)) => answer(function, reply, state, id_text),
            (called, _) => refused(&called.err().unwrap_or(Refusal::NotFound), name, state, id_text),
        };
        let seconds = since.elapsed().as_secs_f64();
        let status = response.status().as_u16();
        state.platform.metrics().answered(function.map(|function| &function.counters), status, seconds);
        tracing::debug!(function = name, request_id = %id_text, status, seconds, "answered");
        response.headers_mut().insert(REQUEST_ID.clone(), id);
        response
    }
}

/// The id that the client gave, if it is a plain word, or a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let plain = |value: &&HeaderValue| {
        let word = |b: &u8| b.is_ascii_alphanumeric() || b"-_.".contains(b);
        (1..=LONGEST_ID).contains(&value.len()) && value.as_bytes().iter().all(word)
    };
    headers.get(&REQUEST_ID).filter(plain).cloned().unwrap_or_else(|| new_id(fastrand::u64(..)))
}

/// Sixteen digits.
fn new_id(random: u64) -> HeaderValue {
    let digit = |place: usize| b"0123456789abcdef"[(random >> (60 - 4 * place)) as usize & 15];
    HeaderValue::from_bytes(&std::array::from_fn::<u8, 16, _>(digit)).expect("digits are allowed in a header")
}

/// What a request calls, and the variables that its query sets.
fn called<'a>(
    function: Option<&'a Arc<Function>>,
    request: &Request,
) -> Result<(&'a Arc<Function>, Variables), Refusal> {
    let function = function.ok_or(Refusal::NotFound)?;
    if request.method() != Method::GET && request.method() != Method::POST {
        return Err(Refusal::Method);
    }
    let query = request.uri().query().unwrap_or_default();
    Ok((function, query::variables(query, &function.spec).map_err(Refusal::Query)?))
}

/// Reads a body, and runs the function with it.
async fn with_body(
    function: &Arc<Function>,
    env: Variables,
    request: &Request,
    payload: Payload,
    state: &State,
) -> Result<Reply, Refusal> {
    let stdin = body(request.headers(), payload, state).await?;
    if !function.spec.stdin && !stdin.is_empty() {
        return Err(Refusal::NoBody);
    }
    let mut admitted = state.platform.admit(call(function, env, request, stdin));
    match state.platform.at_once(&mut admitted) {
        Some(reply) => Ok(reply),
        None => state.platform.queue(admitted).await.map_err(|Busy| Refusal::Busy),
    }
}

/// Everything that the function gets of the request.
fn call<'a>(function: &'a Arc<Function>, mut env: Variables, request: &Request, stdin: Vec<u8>) -> Call<'a> {
    if function.spec.cgi {
        let facts = cgi_variables(request, &function.spec.name, stdin.len());
        env.retain(|(name, _)| !facts.iter().any(|(fact, _)| fact == name));
        env.extend(facts);
    }
    Call { function, env, stdin }
}

/// The variables of RFC 3875 that are facts about this request. They win over a query's.
fn cgi_variables(request: &Request, name: &str, body_bytes: usize) -> Vec<(String, String)> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let variables = [
        ("GATEWAY_INTERFACE", "CGI/1.1".to_owned()),
        ("REQUEST_METHOD", request.method().to_string()),
        ("QUERY_STRING", request.uri().query().unwrap_or_default().to_owned()),
        ("SCRIPT_NAME", format!("/{name}")),
        ("SERVER_PROTOCOL", "HTTP/1.1".to_owned()),
        ("SERVER_SOFTWARE", concat!("isobar/", env!("CARGO_PKG_VERSION")).to_owned()),
        ("CONTENT_LENGTH", body_bytes.to_string()),
        ("CONTENT_TYPE", content_type.unwrap_or_default().to_owned()),
    ];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// How long a body says it is.
fn body_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

fn has_body(headers: &HeaderMap) -> bool {
    body_length(headers).unwrap_or(0) > 0 || headers.contains_key(TRANSFER_ENCODING)
}

/// Reads a body, up to its limit and within its time.
async fn body(headers: &HeaderMap, mut payload: Payload, state: &State) -> Result<Vec<u8>, Refusal> {
    let (limit, length) = (state.settings.body_bytes, body_length(headers));
    if length.is_some_and(|length| length > limit) {
        return Err(Refusal::BodyTooLarge(limit));
    }
    let mut body = Vec::new();
    let read = async {
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Refusal::BodyBroken)?;
            if body.len() + chunk.len() > limit {
                return Err(Refusal::BodyTooLarge(limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(())
    };
    match actix_web::rt::time::timeout(state.settings.body_time, read).await {
        Ok(read) => read.map(|()| body),
        Err(_) => Err(Refusal::BodyTooSlow),
    }
}

fn answer(function: &Function, reply: Reply, state: &State, id: &str) -> HttpResponse {
    let Reply { result, start, phases } = reply;
    let made = match result {
        Ok(outcome) => output(function, outcome, id),
        Err(failure) => {
            tracing::warn!(function = %function.spec.name, request_id = %id, %failure, "failed");
            Err(Refusal::Failed(failure))
        }
    };
    let mut response = made.unwrap_or_else(|refusal| {
        state.platform.metrics().failed(refusal.kind());
        refusal.response(id)
    });
    let headers = response.headers_mut();
    let start = if start == Start::Cold { "cold" } else { "warm" };
    headers.insert(ISOBAR_START.clone(), HeaderValue::from_static(start));
    headers.insert(SERVER_TIMING.clone(), timing(&phases));
    response
}

fn refused(refusal: &Refusal, name: &str, state: &State, id: &str) -> HttpResponse {
    state.platform.metrics().failed(refusal.kind());
    tracing::debug!(function = name, request_id = %id, kind = refusal.kind(), "refused");
    refusal.response(id)
}

/// The answer of a function that ran to its end.
fn output(function: &Function, outcome: Outcome, id: &str) -> Result<HttpResponse, Refusal> {
    let spec = &function.spec;
    if outcome.exit_code != 0 {
        let stderr = String::from_utf8_lossy(&outcome.stderr[..outcome.stderr.len().min(1000)]).into_owned();
        tracing::info!(function = %spec.name, request_id = %id, exit_code = outcome.exit_code, stderr, "failed");
        let status = spec.exit_status.get(&outcome.exit_code).copied().unwrap_or(500);
        return Err(Refusal::Exit(outcome.exit_code, status));
    }
    let mut builder = HttpResponse::build(StatusCode::OK);
    builder.insert_header((CONTENT_TYPE_OPTIONS.clone(), HeaderValue::from_static("nosniff")));
    let mut body = outcome.stdout;
    if spec.cgi {
        let head = cgi::head(&body).map_err(|what| {
            tracing::warn!(function = %spec.name, request_id = %id, what, "no header block");
            Refusal::BadHead
        })?;
        builder.status(head.status);
        for header in head.headers {
            builder.append_header(header);
        }
        body.drain(..head.body);
    } else {
        builder.insert_header((CONTENT_TYPE, spec.content_type.clone()));
    }
    Ok(builder.body(body))
}

/// The phases in milliseconds, as the specification of `Server-Timing` has them.
fn timing(phases: &Phases) -> HeaderValue {
    // Seven phases of 20 digits each fit.
    let (mut text, mut length, mut number) = ([0; 320], 0, itoa::Buffer::new());
    let mut push = |part: &str| {
        text[length..length + part.len()].copy_from_slice(part.as_bytes());
        length += part.len();
    };
    let mut comma = "";
    for (name, ns) in phases.named() {
        let Some(ns) = ns else { continue };
        [comma, name, ";dur=", number.format(ns / 1_000_000), "."].into_iter().for_each(&mut push);
        // The first of seven digits keeps the zeros.
        push(&number.format(1_000_000 + ns % 1_000_000)[1..]);
        comma = ", ";
    }
    HeaderValue::from_bytes(&text[..length]).expect("names and digits are allowed in a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_are_milliseconds_and_those_that_were_not_are_left_out() {
        let phases = Phases { queue_ns: Some(0), execute_ns: Some(12_345_678), ..Phases::default() };
        assert_eq!(timing(&phases), "queue;dur=0.000000, execute;dur=12.345678");
        let phases = Phases { load_ns: Some(1_000_000_007), ..Phases::default() };
        assert_eq!(timing(&phases), "load;dur=1000.000007");
        let most = Some(u64::MAX);
        let phases = Phases {
            queue_ns: most,
            engine_ns: most,
            compile_ns: most,
            load_ns: most,
            instantiate_ns: most,
            execute_ns: most,
            teardown_ns: most,
        };
        assert_eq!(timing(&phases).to_str().unwrap().matches("dur=18446744073709.551615").count(), 7);
    }

    #[test]
    fn a_clients_id_is_taken_over_if_it_is_a_word() {
        let id = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID.clone(), value.parse().unwrap());
            request_id(&headers)
        };
        assert_eq!(id("abc-1_2.3"), "abc-1_2.3");
        for other in ["", "a b", "<x>", &"a".repeat(LONGEST_ID + 1)] {
            assert!(id(other).len() == 16 && id(other) != id(other), "{other}");
        }
        assert_eq!(new_id(0x0123_4567_89ab_cdef), "0123456789abcdef");
    }
}
