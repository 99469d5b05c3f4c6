//! The page at `/` in a real browser: headless Chromium, told what to do over its debugging pipe.

#[path = "support/chromium.rs"]
mod chromium;
mod serving;

use chromium::Chromium;
use serde_json::json;
use serving::{Functions, Server, prints};

/// The browser's window, in CSS pixels.
const WINDOW: (u32, u32) = (1300, 900);

#[test]
fn the_page_lists_functions_and_shows_what_they_answer() {
    let Some(mut browser) = Chromium::start() else { return };
    let server = Server::start(&[]);
    let mut page = browser.open(&format!("http://{}/", server.address), WINDOW, false);
    assert_eq!(page.evaluate("document.title"), json!("isobar: functions"));
    // Every function that the platform has is there, with a form.
    let names = page.evaluate("[...document.forms].map(form => form.getAttribute('action'))");
    let names: Vec<&str> = names.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    for name in ["/rust/hello", "/assemblyscript/hello", "/rust/base64", "/wat/empty"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    // A GET, with what stands in the form at first and with something else.
    let form = "document.querySelector('form[action=\"/rust/hello\"]')";
    let output = format!("{form}.querySelector('output').textContent");
    page.evaluate(&format!("{form}.closest('details').open = true, {form}.querySelector('button').click()"));
    page.until(&output, &json!("Hello, World!\n"));
    page.evaluate(&format!("{form}.elements.NAME.value = 'Jö & <b>you</b>', {form}.querySelector('button').click()"));
    page.until(&output, &json!("Hello, Jö & <b>you</b>!\n"));
    assert_eq!(page.evaluate(&format!("{form}.querySelectorAll('b').length")), json!(0), "it is text");
    let timing = page.evaluate(&format!("{form}.querySelector('.timing').textContent"));
    assert!(timing.as_str().is_some_and(|text| text.starts_with("200 ") && text.contains("execute")), "{timing}");
    // A POST with a body.
    let form = "document.querySelector('form[action=\"/rust/base64\"]')";
    let set = format!("{form}.elements.MODE.value = 'encode', {form}.querySelector('textarea').value = 'foobar'");
    page.evaluate(&format!("{set}, {form}.querySelector('button').click()"));
    page.until(&format!("{form}.querySelector('output').textContent"), &json!("Zm9vYmFy\n"));
    assert_eq!(page.complaints(), Vec::<String>::new());
}

#[test]
fn the_page_shows_names_and_failures_as_text() {
    let Some(mut browser) = Chromium::start() else { return };
    let functions = Functions::new();
    functions.put("plain", &prints("plain"), "description = \"<script>throw 1</script> & more\"\nenv = [\"A\"]\n").put(
        "trap",
        r#"(module (func (export "_start") unreachable))"#,
        "",
    );
    let server = Server::with(&functions, &[]);
    let mut page = browser.open(&format!("http://{}/", server.address), WINDOW, false);
    let description = page.evaluate("document.querySelector('summary span').textContent");
    assert_eq!(description, json!("<script>throw 1</script> & more"));
    assert_eq!(page.complaints(), Vec::<String>::new());
    let form = "document.querySelector('form[action=\"/trap\"]')";
    page.evaluate(&format!("{form}.querySelector('button').click()"));
    page.until(&format!("{form}.querySelector('.timing').textContent.slice(0, 3)"), &json!("500"));
    let output = page.evaluate(&format!("{form}.querySelector('output').textContent"));
    assert!(output.as_str().is_some_and(|text| text.contains("\"error\":\"trap\"")), "{output}");
    // Chromium itself says that an answer was no success, and nothing else is wrong.
    let complaints = page.complaints();
    let other: Vec<&String> = complaints.iter().filter(|text| !text.contains("status of 500")).collect();
    assert!(other.is_empty(), "{other:?}");
    // A form without its script sends the same request.
    let mut page = browser.open(&format!("http://{}/plain?A=x", server.address), WINDOW, false);
    assert_eq!(page.evaluate("document.body.textContent"), json!("plain"));
}
