//! Pages as readers meet them: in a browser.

#[path = "support/chromium.rs"]
mod chromium;

use chromium::Chromium;
use serde_json::json;

/// The browser's own test: it clicks, types, and hears what a page complains of.
#[test]
fn a_page_is_driven_and_heard() {
    let Some(mut chromium) = Chromium::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    let html = "<!doctype html><style>p { width: 700px; color: red } @media (prefers-color-scheme: dark) { p { color: lime } }</style>\
                <p>wide</p><input><button onclick='this.textContent = document.querySelector(`input`).value'>go</button>\
                <script>console.error('so it is')</script>";
    std::fs::write(&file, html).unwrap();
    let mut page = chromium.open(&format!("file://{}", file.display()), (400, 600), true);
    page.click("input");
    page.type_text("typed");
    page.click("button");
    assert_eq!(page.evaluate("document.querySelector('button').textContent"), json!("typed"));
    assert_eq!(page.text("getComputedStyle(document.querySelector('p')).color"), "rgb(0, 255, 0)");
    assert_eq!(page.complaints().len(), 1);
    assert_eq!(page.too_wide().len(), 1);
    page.resize(800, 600);
    assert_eq!(page.too_wide(), Vec::<String>::new());
}
