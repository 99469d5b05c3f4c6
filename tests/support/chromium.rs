//! Chromium without a window, driven over its DevTools protocol through two pipes.

// Every test uses a part of it.
#![allow(dead_code)]

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// What browsers are called.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// An answer that takes longer never comes.
const PATIENCE: Duration = Duration::from_secs(90);

/// A browser that runs until it is dropped.
pub struct Chromium {
    process: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    last_id: u64,
    _profile: tempfile::TempDir,
}

/// A tab, with what it said since it was opened.
pub struct Page<'a> {
    browser: &'a mut Chromium,
    session: String,
    events: Vec<Value>,
}

impl Chromium {
    /// Starts a browser; `None`, and a line that says so, if there is none.
    pub fn start() -> Option<Chromium> {
        let there = |name: &&&str| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success());
        let Some(name) = NAMES.iter().find(there) else {
            println!("skipped: no {} on PATH; apt-get install chromium", NAMES.join(", "));
            return None;
        };
        let profile = tempfile::tempdir().expect("a folder for the profile");
        // The browser reads commands from descriptor 3 and writes to 4; the root user has no sandbox.
        let mut process = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", name])
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-default-apps"])
            .args(["--disable-sync", "--hide-scrollbars", "--remote-debugging-pipe"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh starts");
        let (commands, output) = (process.stdin.take().expect("piped"), process.stdout.take().expect("piped"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(output).split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("the protocol is JSON");
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Some(Chromium { process, commands, messages, last_id: 0, _profile: profile })
    }

    /// Opens `url` in a new tab, so many CSS pixels wide and high, and waits until it is loaded.
    pub fn open(&mut self, url: &str, (width, height): (u32, u32), dark: bool) -> Page<'_> {
        let mut early = Vec::new();
        let target = self.call(None, "Target.createTarget", json!({ "url": "about:blank" }), &mut early);
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call(None, "Target.attachToTarget", attach, &mut early)["sessionId"].clone();
        let mut page =
            Page { browser: self, session: session.as_str().expect("a session").to_owned(), events: Vec::new() };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        page.resize(width, height);
        page.prefer(if dark { "dark" } else { "light" }, "screen");
        page.events.clear();
        let went = page.call("Page.navigate", json!({ "url": url }));
        assert_eq!(went.get("errorText"), None, "{url}");
        page.wait_for("Page.loadEventFired");
        page
    }

    /// Sends a command and returns its result; what else is said meanwhile goes to `events`.
    fn call(&mut self, session: Option<&str>, method: &str, params: Value, events: &mut Vec<Value>) -> Value {
        self.last_id += 1;
        let mut command = json!({ "id": self.last_id, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        self.commands.write_all(&bytes).and_then(|()| self.commands.flush()).expect("the browser lives");
        loop {
            let message = self.next(method);
            if message["id"] == json!(self.last_id) {
                assert_eq!(message.get("error"), None, "{method}");
                return message["result"].clone();
            }
            events.push(message);
        }
    }

    fn next(&mut self, waiting_for: &str) -> Value {
        self.messages.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("{waiting_for}: {e}"))
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let close = b"{\"id\":0,\"method\":\"Browser.close\"}\0";
        let asked = self.commands.write_all(close).and_then(|()| self.commands.flush());
        let until = Instant::now() + Duration::from_secs(10);
        while asked.is_ok() && Instant::now() < until {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Page<'_> {
    /// Changes the size of the window, in CSS pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Sets what the page's media queries see: `light` or `dark`, on `screen` or in `print`.
    pub fn prefer(&mut self, scheme: &str, media: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "media": media, "features": features }));
    }

    /// The value of a script, whose promise is waited for.
    ///
    /// # Panics
    /// When the script throws.
    pub fn evaluate(&mut self, script: &str) -> Value {
        let arguments = json!({ "expression": script, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", arguments);
        assert_eq!(answer.get("exceptionDetails"), None, "{script}");
        answer["result"].get("value").cloned().unwrap_or(Value::Null)
    }

    /// Waits until a script has a value.
    pub fn until(&mut self, script: &str, wanted: &Value) {
        let since = Instant::now();
        loop {
            let value = self.evaluate(script);
            if value == *wanted {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "{script} is {value} and not {wanted}: {:?}", self.complaints());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// [`Page::evaluate`] of what is a text.
    pub fn text(&mut self, script: &str) -> String {
        let value = self.evaluate(script);
        value.as_str().unwrap_or_else(|| panic!("{script}: {value}")).to_owned()
    }

    /// Clicks with the mouse into the middle of what a CSS selector finds first, after scrolling there.
    pub fn click(&mut self, selector: &str) {
        let place = self.evaluate(&format!(
            "(() => {{ const e = document.querySelector({}); e.scrollIntoView({{block: 'center', inline: 'center', behavior: 'instant'}}); \
             const r = e.getClientRects()[0]; return [r.left + r.width / 2, r.top + r.height / 2]; }})()",
            json!(selector)
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Types into what has the focus.
    pub fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Errors and warnings of the console, exceptions that nobody caught, and what could not be loaded.
    pub fn complaints(&mut self) -> Vec<String> {
        // What was said before this is answered has arrived.
        self.evaluate("new Promise(done => setTimeout(done, 50))");
        let bad = |event: &&Value| {
            let params = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Runtime.exceptionThrown" | "Network.loadingFailed" => true,
                "Runtime.consoleAPICalled" => ["error", "warning", "assert"].iter().any(|kind| params["type"] == *kind),
                "Log.entryAdded" => ["error", "warning"].iter().any(|level| params["entry"]["level"] == *level),
                _ => false,
            }
        };
        self.events.iter().filter(bad).map(Value::to_string).collect()
    }

    /// The addresses that were asked for.
    pub fn requests(&self) -> Vec<String> {
        let sent = self.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
        sent.filter_map(|event| Some(event["params"]["request"]["url"].as_str()?.to_owned())).collect()
    }

    /// Elements that reach beyond the window's right side and are not in a box of their own that scrolls.
    pub fn too_wide(&mut self) -> Vec<String> {
        let found = self.evaluate(
            "(() => { const scrolls = e => e && (['auto', 'scroll', 'hidden'].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement)); \
             return [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e.parentElement)) \
             .map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 60)); })()",
        );
        found.as_array().into_iter().flatten().map(Value::to_string).collect()
    }

    /// Writes what is seen, or the whole page, as PNG.
    pub fn screenshot(&mut self, file: &Path, whole: bool) {
        use base64::Engine;
        let picture = self.call("Page.captureScreenshot", json!({ "captureBeyondViewport": whole }));
        let data = base64::prelude::BASE64_STANDARD.decode(picture["data"].as_str().expect("a picture"));
        std::fs::write(file, data.expect("base64")).expect("the file can be written");
    }

    /// Sends any other command of the protocol.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.browser.call(Some(&self.session), method, params, &mut self.events)
    }

    /// Waits for an event of the protocol, unless it came before.
    pub fn wait_for(&mut self, event: &str) {
        while !self.events.iter().any(|e| e["method"] == event && e["sessionId"] == *self.session) {
            let message = self.browser.next(event);
            self.events.push(message);
        }
    }
}
