//! The bare web framework: an actix-web handler that returns a constant, with the framework's own settings but for the
//! backlog, which is isobar's.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::{Context, Result};

pub(super) const FLAG: &str = "--constant";

async fn constant() -> HttpResponse {
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; charset=utf-8")).body(super::ANSWER)
}

/// Serves until it is killed.
pub(super) fn serve(listen: &str) -> Result<()> {
    let app = || App::new().default_service(web::to(constant));
    let cores = std::thread::available_parallelism()?.get();
    actix_web::rt::System::new()
        .block_on(async { HttpServer::new(app).workers(cores).backlog(4096).bind(listen)?.run().await })
        .context("the bare handler does not serve")
}
