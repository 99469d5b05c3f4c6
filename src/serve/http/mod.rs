//! The platform's face: HTTP, by actix-web.

mod answer;
mod call;
mod cgi;
mod index;
mod query;

use super::{Platform, ServeError};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::rt::signal::unix::{SignalKind, signal};
use actix_web::{App, HttpResponse, HttpServer, web};
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
        let app = move || App::new().app_data(shared.clone()).configure(routes);
        let server = HttpServer::new(app)
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

fn routes(app: &mut web::ServiceConfig) {
    app.route("/", web::get().to(index_page))
        .route("/healthz", web::get().to(healthz))
        .route("/metrics", web::get().to(metrics))
        .default_service(web::to(call::function));
}

/// Whether requests are welcome. A handler that does nothing: what the rest costs is seen beside it.
async fn healthz(state: web::Data<State>) -> HttpResponse {
    match state.draining.load(Ordering::Relaxed) {
        false => HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; charset=utf-8")).body("ok\n"),
        true => HttpResponse::ServiceUnavailable().body("ending\n"),
    }
}

async fn metrics(state: web::Data<State>) -> HttpResponse {
    let text = state.platform.metrics_text();
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")).body(text)
}

async fn index_page(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header((CONTENT_SECURITY_POLICY, index::policy()))
        .body(index::page(&state.platform))
}
