//! `rust/hello` for a server of components: the query's NAME comes in, the same bytes go out. Written against the bare
//! bindings, as a library between would be the peer's handicap.

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

struct Hello;

wasip2::http::proxy::export!(Hello);

impl Guest for Hello {
    fn handle(request: IncomingRequest, answer: ResponseOutparam) {
        let target = request.path_with_query().unwrap_or_default();
        let (_, query) = target.split_once('?').unwrap_or_default();
        let name = query.split('&').find_map(|pair| pair.strip_prefix("NAME=")).unwrap_or_default();
        let fields = Fields::new();
        let _ = fields.append("content-type", b"text/plain; charset=utf-8");
        let response = OutgoingResponse::new(fields);
        let body = response.body().expect("its body is taken once");
        ResponseOutparam::set(answer, Ok(response));
        if let Ok(stream) = body.write() {
            let _ = stream.blocking_write_and_flush(format!("Hello, {name}!\n").as_bytes());
        }
        let _ = OutgoingBody::finish(body, None);
    }
}
