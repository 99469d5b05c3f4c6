//! The page at `/` in a real browser: headless Chromium, told what to do over its debugging pipe.

mod serving;

use serde_json::{Value, json};
use serving::{Functions, PATIENCE, Server, prints};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// The names that distributions have for it.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A browser with one page, spoken to by the DevTools protocol: JSON messages that end with a NUL.
struct Browser {
    child: Child,
    requests: ChildStdin,
    messages: Receiver<Value>,
    session: String,
    last_id: u64,
    /// What the page complained of: exceptions, errors on the console, resources that could not be loaded.
    complaints: Vec<String>,
}

impl Browser {
    /// Starts the browser; `None`, with a line that says so, where there is none.
    fn start(profile: &Path) -> Option<Browser> {
        let answers = |name: &&&str| {
            let version = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            version.is_ok_and(|status| status.success())
        };
        let Some(program) = NAMES.iter().find(answers) else {
            eprintln!("skipped: there is no Chromium; apt-get install chromium");
            return None;
        };
        let mut child = Command::new("sh")
            // The pipe is on the descriptors 3 and 4.
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null", program])
            .args(["--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-dev-shm-usage"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell starts");
        let requests = child.stdin.take().unwrap();
        let mut replies = BufReader::new(child.stdout.take().unwrap());
        let (said, messages) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while replies.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                let value = serde_json::from_slice(message.strip_suffix(&[0]).unwrap_or(&message));
                if value.is_ok_and(|value| said.send(value).is_err()) {
                    return;
                }
                message.clear();
            }
        });
        let (session, last_id, complaints) = (String::new(), 0, Vec::new());
        let mut browser = Browser { child, requests, messages, session, last_id, complaints };
        let target = browser.ask("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        browser.session = browser.ask("Target.attachToTarget", attach)["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Runtime.enable", "Log.enable", "Page.enable"] {
            browser.ask(domain, json!({}));
        }
        Some(browser)
    }

    fn next(&mut self) -> Value {
        let message = self.messages.recv_timeout(PATIENCE).expect("the browser answers");
        let complaint = match message["method"].as_str() {
            Some("Runtime.exceptionThrown") => Some(message["params"]["exceptionDetails"].to_string()),
            Some("Runtime.consoleAPICalled") => Some(message["params"].to_string()),
            Some("Log.entryAdded") => Some(message["params"]["entry"].to_string()),
            _ => None,
        };
        self.complaints.extend(complaint);
        message
    }

    fn send(&mut self, method: &str, params: Value) -> u64 {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.requests.write_all(format!("{message}\0").as_bytes()).expect("the browser reads");
        self.last_id
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        loop {
            let message = self.next();
            if message["id"] == json!(id) {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    /// Opens a page and waits until all of it is there.
    fn open(&mut self, url: &str) {
        let id = self.send("Page.navigate", json!({ "url": url }));
        let (mut answered, mut loaded) = (false, false);
        while !(answered && loaded) {
            let message = self.next();
            answered |= message["id"] == json!(id);
            loaded |= message["method"] == json!("Page.loadEventFired");
            assert!(message["result"]["errorText"].is_null(), "{url}: {message}");
        }
    }

    /// The value of an expression in the page.
    fn value(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.ask("Runtime.evaluate", params);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression has a value.
    fn until(&mut self, expression: &str, wanted: &Value) {
        let since = Instant::now();
        loop {
            let value = self.value(expression);
            if value == *wanted {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "{expression} is {value} and not {wanted}: {:?}", self.complaints);
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its own processes go with it.
        self.session.clear();
        let message = json!({ "id": self.last_id + 1, "method": "Browser.close" });
        let closed = self.requests.write_all(format!("{message}\0").as_bytes());
        let until = Instant::now() + std::time::Duration::from_secs(10);
        while closed.is_ok() && Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_page_lists_functions_and_shows_what_they_answer() {
    let profile = tempfile::tempdir().unwrap();
    let Some(mut browser) = Browser::start(profile.path()) else { return };
    let server = Server::start(&[]);
    browser.open(&format!("http://{}/", server.address));
    assert_eq!(browser.value("document.title"), json!("isobar: functions"));
    // Every function that the platform has is there, with a form.
    let names = browser.value("[...document.forms].map(form => form.getAttribute('action'))");
    let names: Vec<&str> = names.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    for name in ["/rust/hello", "/assemblyscript/hello", "/rust/base64", "/wat/empty"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    // A GET, with what stands in the form at first and with something else.
    let form = "document.querySelector('form[action=\"/rust/hello\"]')";
    let output = format!("{form}.querySelector('output').textContent");
    browser.value(&format!("{form}.closest('details').open = true, {form}.querySelector('button').click()"));
    browser.until(&output, &json!("Hello, World!\n"));
    browser.value(&format!("{form}.elements.NAME.value = 'Jö & <b>you</b>', {form}.querySelector('button').click()"));
    browser.until(&output, &json!("Hello, Jö & <b>you</b>!\n"));
    assert_eq!(browser.value(&format!("{form}.querySelectorAll('b').length")), json!(0), "it is text");
    let timing = browser.value(&format!("{form}.querySelector('.timing').textContent"));
    assert!(timing.as_str().is_some_and(|text| text.starts_with("200 ") && text.contains("execute")), "{timing}");
    // A POST with a body.
    let form = "document.querySelector('form[action=\"/rust/base64\"]')";
    let set = format!("{form}.elements.MODE.value = 'encode', {form}.querySelector('textarea').value = 'foobar'");
    browser.value(&format!("{set}, {form}.querySelector('button').click()"));
    browser.until(&format!("{form}.querySelector('output').textContent"), &json!("Zm9vYmFy\n"));
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
}

#[test]
fn the_page_shows_names_and_failures_as_text() {
    let profile = tempfile::tempdir().unwrap();
    let Some(mut browser) = Browser::start(profile.path()) else { return };
    let functions = Functions::new();
    functions.put("plain", &prints("plain"), "description = \"<script>throw 1</script> & more\"\nenv = [\"A\"]\n").put(
        "trap",
        r#"(module (func (export "_start") unreachable))"#,
        "",
    );
    let server = Server::with(&functions, &[]);
    browser.open(&format!("http://{}/", server.address));
    let description = browser.value("document.querySelector('summary span').textContent");
    assert_eq!(description, json!("<script>throw 1</script> & more"));
    assert!(browser.complaints.is_empty(), "{:?}", browser.complaints);
    let form = "document.querySelector('form[action=\"/trap\"]')";
    browser.value(&format!("{form}.querySelector('button').click()"));
    browser.until(&format!("{form}.querySelector('.timing').textContent.slice(0, 3)"), &json!("500"));
    let output = browser.value(&format!("{form}.querySelector('output').textContent"));
    assert!(output.as_str().is_some_and(|text| text.contains("\"error\":\"trap\"")), "{output}");
    // Chromium itself says that an answer was no success, and nothing else is wrong.
    let other: Vec<&String> = browser.complaints.iter().filter(|text| !text.contains("status of 500")).collect();
    assert!(other.is_empty(), "{other:?}");
    // A form without its script sends the same request.
    browser.open(&format!("http://{}/plain?A=x", server.address));
    assert_eq!(browser.value("document.body.textContent"), json!("plain"));
}
