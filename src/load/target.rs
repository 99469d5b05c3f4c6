//! Where requests go, what they are, and which answers count.

use super::LoadError;
use crate::record::Fault;
use http::Uri;
use isobar_core::Outcome;
use isobar_core::measure::{Expectation, StdoutRule};
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name or address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl Server {
    /// Its addresses; for a name the system is asked, which takes a while.
    ///
    /// # Errors
    /// The name is not known.
    pub fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        let found: Vec<SocketAddr> = (self.host.as_str(), self.port).to_socket_addrs()?.collect();
        if found.is_empty() { Err(std::io::ErrorKind::NotFound.into()) } else { Ok(found) }
    }

    /// Whether it has a name that must be looked up.
    pub fn has_name(&self) -> bool {
        self.host.parse::<IpAddr>().is_err()
    }

    /// As a URL names it.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// A URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Whom to ask.
    pub server: Server,
    /// For what: path and query.
    pub path: String,
}

impl std::str::FromStr for Url {
    type Err = LoadError;

    fn from_str(text: &str) -> Result<Self, LoadError> {
        let bad = |why: String| LoadError::Url { url: text.to_owned(), why };
        let scheme = if text.contains("://") { "" } else { "http://" };
        let uri: Uri = format!("{scheme}{text}").parse().map_err(|e: http::uri::InvalidUri| bad(e.to_string()))?;
        if uri.scheme_str() != Some("http") {
            return Err(bad(format!("isobar speaks plain http, not {}", uri.scheme_str().unwrap_or("that"))));
        }
        let host = uri.host().unwrap_or("").trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(bad("it names no host".to_owned()));
        }
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(bad("names and passwords are given by --header 'Authorization: ...'".to_owned()));
        }
        let named = uri.authority().map_or("", |authority| authority.as_str());
        if uri.port_u16().is_none() && Some(named) != uri.host() {
            return Err(bad("its port is no number up to 65535".to_owned()));
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Url { server: Server { host, port: uri.port_u16().unwrap_or(80) }, path })
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}{}", self.server.authority(), self.path)
    }
}

/// A request, and the answer that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What reports call it: a function, or a path.
    pub name: String,
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Further fields of its head.
    pub fields: Vec<(String, String)>,
    /// Its body.
    pub body: Vec<u8>,
    /// The answer.
    pub check: Check,
}

impl Request {
    /// What is sent to a server; `fresh` asks it to close the connection afterwards.
    pub fn bytes(&self, server: &Server, fresh: bool) -> Vec<u8> {
        let Request { method, path, fields, body, .. } = self;
        let own = |name: &str| fields.iter().any(|(field, _)| field.eq_ignore_ascii_case(name));
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        // Writing to a string cannot fail.
        if !own("host") {
            let _ = write!(head, "Host: {}\r\n", server.authority());
        }
        if !own("user-agent") {
            let _ = write!(head, "User-Agent: isobar/{}\r\n", env!("CARGO_PKG_VERSION"));
        }
        if !body.is_empty() || method != "GET" {
            let _ = write!(head, "Content-Length: {}\r\n", body.len());
        }
        if fresh {
            head.push_str("Connection: close\r\n");
        }
        for (name, value) in fields {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        [head.as_bytes(), body].concat()
    }
}

/// Which answers count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The status; `None` for any from 200 to 299.
    pub status: Option<u16>,
    /// The body; `None` for the one that came first.
    pub body: Option<StdoutRule>,
}

impl Check {
    /// Compares an answer with the expected one. `scratch` is there to be used again.
    ///
    /// # Errors
    /// Which fault it is, and what was expected.
    pub fn check(&self, status: u16, body: &[u8], scratch: &mut Outcome) -> Result<(), (Fault, String)> {
        let right = self.status.map_or((200..300).contains(&status), |expected| expected == status);
        if !right {
            let expected = self.status.map_or("2xx".to_owned(), |status| status.to_string());
            let said: String = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
            let said = crate::report::one_line(&said);
            let said = if said.is_empty() { said } else { format!(" ({said})") };
            return Err((Fault::Status, format!("status {status} instead of {expected}{said}")));
        }
        let plain = match &self.body {
            Some(StdoutRule::Exact(expected)) => expected == body,
            Some(StdoutRule::Prefix(expected)) => body.starts_with(expected),
            Some(StdoutRule::Any) | None => true,
            Some(StdoutRule::Sha256(_)) => false,
        };
        if plain {
            return Ok(());
        }
        scratch.stdout.clear();
        scratch.stdout.extend_from_slice(body);
        let rule = self.body.clone().unwrap_or(StdoutRule::Any);
        let expectation = Expectation { exit_code: 0, stdout: rule };
        expectation.check(scratch).map_err(|text| (Fault::Body, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isobar_core::measure::sha256_hex;

    fn url(text: &str) -> Result<Url, String> {
        text.parse::<Url>().map_err(|e| e.to_string())
    }

    #[test]
    fn urls_are_taken_apart() {
        for (text, shown) in [
            ("http://localhost:8080/hello?name=x&y=%20", "http://localhost:8080/hello?name=x&y=%20"),
            ("127.0.0.1:80", "http://127.0.0.1:80/"),
            ("http://[::1]:8080?x", "http://[::1]:8080/?x"),
            ("http://host", "http://host:80/"),
        ] {
            let url = url(text).unwrap();
            assert_eq!(url.to_string(), shown);
        }
        assert!(url("http://[::1]:1/").unwrap().server.addresses().unwrap()[0].is_ipv6());
        assert!(url("localhost:1").unwrap().server.has_name() && !url("[::1]:1").unwrap().server.has_name());
        for (text, said) in [
            ("https://x/", "plain http, not https"),
            ("http://", ""),
            ("http://u:p@x/", "--header"),
            ("http://x:99999/", "port"),
            ("http://x/a b", ""),
            ("", ""),
        ] {
            let error = url(text).unwrap_err();
            assert!(error.contains(said) && error.lines().count() == 1, "{error}");
        }
    }

    #[test]
    fn a_request_is_written_once() {
        let request = Request {
            name: "x".into(),
            method: "POST".into(),
            path: "/x?y".into(),
            fields: vec![("host".into(), "me".into())],
            body: b"hi".into(),
            check: Check { status: None, body: None },
        };
        let server = Server { host: "::1".into(), port: 1 };
        let text = String::from_utf8(request.bytes(&server, true)).unwrap();
        assert!(text.starts_with("POST /x?y HTTP/1.1\r\nUser-Agent: isobar/"), "{text}");
        assert!(text.ends_with("Content-Length: 2\r\nConnection: close\r\nhost: me\r\n\r\nhi"), "{text}");
        let request = Request { fields: vec![], method: "GET".into(), body: vec![], ..request };
        let text = String::from_utf8(request.bytes(&server, false)).unwrap();
        assert!(text.contains("Host: [::1]:1\r\n") && !text.contains("Content-Length"), "{text}");
    }

    #[test]
    fn answers_are_compared() {
        let mut scratch = Outcome { exit_code: 0, stdout: vec![], stderr: vec![] };
        let mut says = |status, body: Option<StdoutRule>, (got, text): (u16, &str)| {
            Check { status, body }.check(got, text.as_bytes(), &mut scratch)
        };
        assert_eq!(says(None, None, (204, "x")), Ok(()));
        assert_eq!(says(Some(404), Some(StdoutRule::Exact("x".into())), (404, "x")), Ok(()));
        let (fault, text) = says(None, None, (503, "full\n of it")).unwrap_err();
        assert_eq!((fault, text.as_str()), (Fault::Status, "status 503 instead of 2xx (full of it)"));
        let (fault, text) = says(None, Some(StdoutRule::Exact("right".into())), (200, "wrong")).unwrap_err();
        assert_eq!((fault, text.as_str()), (Fault::Body, "\"wrong\" instead of \"right\""));
        let sum = StdoutRule::Sha256(sha256_hex(b"right"));
        assert_eq!(says(None, Some(sum.clone()), (200, "right")), Ok(()));
        assert_eq!(says(None, Some(sum), (200, "wrong")).unwrap_err().0, Fault::Body);
        assert_eq!(says(None, Some(StdoutRule::Prefix("ri".into())), (200, "right")), Ok(()));
        assert_eq!(says(None, Some(StdoutRule::Prefix("le".into())), (200, "right")).unwrap_err().0, Fault::Body);
    }
}
