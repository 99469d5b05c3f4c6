//! What a request is answered when it gets no output: a status, and a line of JSON.

use super::query::BadQuery;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue, RETRY_AFTER};
use isobar_core::Failure;
use serde::Serialize;

/// Why a request gets no output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NotFound,
    Method,
    Query(BadQuery),
    NoBody,
    BodyTooLarge(usize),
    BodyTooSlow,
    BodyBroken,
    Busy,
    Exit(i32, u16),
    BadHead,
    Failed(Failure),
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    request_id: &'a str,
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::Method => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Query(_) | Refusal::NoBody | Refusal::BodyBroken => StatusCode::BAD_REQUEST,
            Refusal::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Refusal::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Exit(_, status) => StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            Refusal::BadHead => StatusCode::INTERNAL_SERVER_ERROR,
            Refusal::Failed(failure) => match failure {
                Failure::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
                Failure::Memory { .. } => StatusCode::INSUFFICIENT_STORAGE,
                Failure::Crashed { .. } => StatusCode::BAD_GATEWAY,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    /// One word, for programs and metrics.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Refusal::NotFound => "not-found",
            Refusal::Method => "method",
            Refusal::Query(_) => "query",
            Refusal::NoBody => "no-body",
            Refusal::BodyTooLarge(_) => "body-too-large",
            Refusal::BodyTooSlow => "body-too-slow",
            Refusal::BodyBroken => "body",
            Refusal::Busy => "busy",
            Refusal::Exit(..) => "exit",
            Refusal::BadHead => "header-block",
            Refusal::Failed(failure) => failure.name(),
        }
    }

    /// One line for whoever asked. Where the platform's own files, or what a function said on standard error, could be
    /// in it, the log has it and the client has not.
    fn message(&self) -> String {
        match self {
            Refusal::NotFound => "there is no such function".to_owned(),
            Refusal::Method => "functions are called by GET or POST".to_owned(),
            Refusal::Query(bad) => bad.to_string(),
            Refusal::NoBody => "this function reads no input: send no body".to_owned(),
            Refusal::BodyTooLarge(limit) => format!("the body is larger than {limit} bytes"),
            Refusal::BodyTooSlow => "the body did not come in time".to_owned(),
            Refusal::BodyBroken => "the body ended early or is malformed".to_owned(),
            Refusal::Busy => "too many requests are waiting: try again".to_owned(),
            Refusal::Exit(code, _) => format!("the function ended with exit code {code}"),
            Refusal::BadHead => "the function's output does not begin with a header block".to_owned(),
            Refusal::Failed(failure) => match failure {
                Failure::Rejected { .. } | Failure::Link { .. } => "the module cannot be run".to_owned(),
                Failure::Trap { kind, .. } => format!("the function trapped: {kind}"),
                Failure::Crashed { .. } => "the runtime crashed".to_owned(),
                Failure::Host { .. } => "the platform failed".to_owned(),
                limit => limit.to_string(),
            },
        }
    }

    /// Whether what is left of the request is not read, so that the connection cannot go on.
    fn ends_connection(&self) -> bool {
        matches!(self, Refusal::BodyTooLarge(_) | Refusal::BodyTooSlow | Refusal::BodyBroken)
    }

    pub(super) fn response(&self, request_id: &str) -> HttpResponse {
        let exit_code = if let Refusal::Exit(code, _) = self { Some(*code) } else { None };
        let mut builder = HttpResponse::build(self.status());
        match self {
            Refusal::Method => builder.insert_header((ALLOW, HeaderValue::from_static("GET, POST"))),
            Refusal::Busy => builder.insert_header((RETRY_AFTER, HeaderValue::from_static("1"))),
            _ => &mut builder,
        };
        if self.ends_connection() {
            builder.force_close();
        }
        builder.json(Body { error: self.kind(), message: &self.message(), exit_code, request_id })
    }
}
