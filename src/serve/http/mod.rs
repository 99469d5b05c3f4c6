//! The platform's face: HTTP, by actix-web.

mod answer;
mod call;
mod cgi;
mod index;
mod query;

use super::{Platform, ServeError};
use actix_http::Request;
use actix_web::body::BoxBody;
use actix_web::dev::{Response, fn_service};
use actix_web::http::Method;
use actix_web::http::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use actix_web::rt::signal::unix::{SignalKind, signal};
use actix_web::{Error, HttpResponse, HttpServer, web};
use futures_util::FutureExt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 4096;

/// How HTTP is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// The address that requests come to; port 0 takes any that is free.
    pub listen: String,
    /// Threads that read requests and write answers.
    pub io_threads: usize,
    /// The longest body, in bytes.
    pub body_bytes: usize,
    /// How long a request's head may take.
    pub head_time: Duration,
    /// How long a request's body may take.
    pub body_time: Duration,
    /// How long a connection may say nothing.
    pub keep_alive: Duration,
    /// How many connections there may be.
    pub connections: usize,
    /// How long what is in flight may take when the platform is told to end.
    pub shutdown_time: Duration,
}

/// What every request needs.
struct State {
    platform: Platform,
    settings: HttpSettings,
    draining: AtomicBool,
}

/// Who ended the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// SIGTERM.
    Terminated,
    /// SIGINT.
    Interrupted,
}

/// Serves until a signal ends it, and then until what is in flight is answered. `ready` is called when requests are
/// answered.
///
/// # Errors
/// An address that makes no sense or is taken, and whatever else keeps the server from starting.
pub fn serve(
    platform: Platform,
    settings: HttpSettings,
    ready: impl FnOnce(&[SocketAddr]),
) -> Result<Ended, ServeError> {
    let failed = |e: std::io::Error| ServeError::Server(format!("the server does not start: {e}"));
    actix_web::rt::System::new().block_on(async move {
        let listen = settings.listen.clone();
        let (head_time, keep_alive) = (settings.head_time, settings.keep_alive);
        let (io_threads, connections) = (settings.io_threads, settings.connections);
        let shutdown_seconds = settings.shutdown_time.as_secs().max(1);
        let state = web::Data::new(State { platform, settings, draining: AtomicBool::new(false) });
        let shared = state.clone();
        let service = move || {
            let state = shared.clone();
            fn_service(move |request| answered(request, &state))
        };
        let server = HttpServer::new(service)
            .workers(io_threads)
            .backlog(BACKLOG)
            .max_connections(connections.div_ceil(io_threads))
            .client_request_timeout(head_time)
            .keep_alive(keep_alive)
            .shutdown_timeout(shutdown_seconds)
            .disable_signals()
            .bind(&listen)
            .map_err(|e| ServeError::Server(format!("cannot listen on {listen}: {e}; give another --listen")))?;
        let addresses = server.addrs();
        let server = server.run();
        let handle = server.handle();
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let watch = actix_web::rt::spawn(async move {
            let ended = tokio::select! {
                _ = terminate.recv() => Ended::Terminated,
                _ = interrupt.recv() => Ended::Interrupted,
            };
            tracing::info!("told to end: finishing what is in flight");
            state.draining.store(true, Ordering::Relaxed);
            tokio::select! {
                () = handle.stop(true) => {}
                // Told twice: at once.
                _ = terminate.recv() => handle.stop(false).await,
                _ = interrupt.recv() => handle.stop(false).await,
            }
            ended
        });
        ready(&addresses);
        server.await.map_err(failed)?;
        watch.await.map_err(|e| ServeError::Server(format!("the server broke: {e}")))
    })
}

/// Sends a request to what its path names. Three fixed paths need no router, whose work every function would pay for.
fn answered(
    request: Request,
    state: &web::Data<State>,
) -> impl Future<Output = Result<Response<BoxBody>, Error>> + use<> {
    let page = match request.path() {
        "/" => index_page,
        "/healthz" => healthz,
        "/metrics" => metrics,
        _ => return call::function(request, state).map(done),
    };
    let response = match *request.method() {
        Method::GET => page(state),
        _ => HttpResponse::MethodNotAllowed().insert_header((ALLOW, HeaderValue::from_static("GET"))).finish(),
    };
    call::ready(response).map(done)
}

fn done(response: HttpResponse) -> Result<Response<BoxBody>, Error> {
    Ok(response.into())
}

/// Whether requests are welcome. What it takes is what the rest takes when nothing is run.
fn healthz(state: &State) -> HttpResponse {
    match state.draining.load(Ordering::Relaxed) {
        false => HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; charset=utf-8")).body("ok\n"),
        true => HttpResponse::ServiceUnavailable().body("ending\n"),
    }
}

fn metrics(state: &State) -> HttpResponse {
    let text = state.platform.metrics_text();
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")).body(text)
}

fn index_page(state: &State) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((CONTENT_SECURITY_POLICY, index::policy()))
        .body(index::page(&state.platform))
}
