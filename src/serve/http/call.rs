//! A request that names a function, from its first byte to its answer.

use super::State;
use super::answer::Refusal;
use super::{cgi, query};
use crate::serve::function::Function;
use crate::serve::platform::{Call, Reply};
use crate::serve::queue::Busy;
use crate::serve::{Phases, Start};
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt;
use isobar_core::Outcome;
use std::sync::Arc;
use std::time::Instant;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
static ISOBAR_START: HeaderName = HeaderName::from_static("x-isobar-start");
static CONTENT_TYPE_OPTIONS: HeaderName = HeaderName::from_static("x-content-type-options");

/// An id of a client is taken over up to so many characters.
const LONGEST_ID: usize = 64;

pub(super) async fn function(request: HttpRequest, payload: web::Payload, state: web::Data<State>) -> HttpResponse {
    let since = Instant::now();
    let id = request_id(request.headers());
    let path = request.uri().path();
    // The path as it was sent: what is encoded in some other way is another name, and no function has it.
    let function = path.strip_prefix('/').and_then(|name| state.platform.find(name));
    let called = match &function {
        Some(function) => {
            let called = call(function, &request, payload, &state).await;
            called.map(|reply| answer(function, reply, &state, &id))
        }
        None => Err(Refusal::NotFound),
    };
    let counters = function.as_ref().map(|function| &function.counters);
    let name = function.as_ref().map_or("-", |function| function.spec.name.as_str());
    let mut response = match called {
        Ok(response) => response,
        Err(refusal) => refused(&refusal, name, &state, &id),
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    let seconds = since.elapsed().as_secs_f64();
    let status = response.status().as_u16();
    state.platform.metrics().answered(counters, status, seconds);
    tracing::debug!(function = name, request_id = %id, status, seconds, "answered");
    response
}

/// The id that the client gave, if it is a plain word, or a new one.
fn request_id(headers: &HeaderMap) -> String {
    let plain = |text: &&str| {
        let word = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(word)
    };
    let given = headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok()).filter(plain);
    given.map_or_else(|| new_id(fastrand::u64(..)), str::to_owned)
}

/// Sixteen digits.
fn new_id(random: u64) -> String {
    let digit = |place: u32| char::from_digit((random >> (4 * place)) as u32 & 15, 16);
    (0..16).rev().filter_map(digit).collect()
}

async fn call(
    function: &Arc<Function>,
    request: &HttpRequest,
    payload: web::Payload,
    state: &State,
) -> Result<Reply, Refusal> {
    let spec = &function.spec;
    if request.method() != Method::GET && request.method() != Method::POST {
        return Err(Refusal::Method);
    }
    let query = request.uri().query().unwrap_or_default();
    let mut env = query::variables(query, spec).map_err(Refusal::Query)?;
    let stdin = body(request.headers(), payload, state).await?;
    if !spec.stdin && !stdin.is_empty() {
        return Err(Refusal::NoBody);
    }
    if spec.cgi {
        let facts = cgi_variables(request, &spec.name, stdin.len());
        env.retain(|(name, _)| !facts.iter().any(|(fact, _)| fact == name));
        env.extend(facts);
    }
    let call = Call { function, env, stdin };
    state.platform.call(call).await.map_err(|Busy| Refusal::Busy)
}

/// The variables of RFC 3875 that are facts about this request. They win over a query's.
fn cgi_variables(request: &HttpRequest, name: &str, body_bytes: usize) -> Vec<(String, String)> {
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

/// Reads a body, up to its limit and within its time.
async fn body(headers: &HeaderMap, mut payload: web::Payload, state: &State) -> Result<Vec<u8>, Refusal> {
    let limit = state.settings.body_bytes;
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.unwrap_or(0) == 0 && !headers.contains_key(TRANSFER_ENCODING) {
        return Ok(Vec::new());
    }
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
    if let Ok(timing) = HeaderValue::from_str(&timing(&phases)) {
        headers.insert(SERVER_TIMING.clone(), timing);
    }
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
        builder.insert_header((CONTENT_TYPE, spec.content_type.as_str()));
    }
    Ok(builder.body(body))
}

/// The phases in milliseconds, as the specification of `Server-Timing` has them.
fn timing(phases: &Phases) -> String {
    let (mut text, mut number) = (String::with_capacity(160), itoa::Buffer::new());
    for (name, ns) in phases.named() {
        let Some(ns) = ns else { continue };
        let comma = if text.is_empty() { "" } else { ", " };
        [comma, name, ";dur=", number.format(ns / 1_000_000), "."].into_iter().for_each(|part| text.push_str(part));
        // The first of seven digits keeps the zeros.
        text.push_str(&number.format(1_000_000 + ns % 1_000_000)[1..]);
    }
    text
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
