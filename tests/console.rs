//! The console in a real Chromium, on a `segue dev` whose carrier never answers. It needs Debian's
//! `chromium` and `chromium-driver`, so `tests/run` asks for it by name.
#![cfg(feature = "server")]

#[path = "console/browser.rs"]
mod browser;
#[path = "api/dev.rs"]
mod dev;
#[path = "console/gate.rs"]
mod gate;

use std::path::Path;
use std::process::{Command, Stdio};

use browser::Browser;
use dev::Dev;
use gate::Gate;

const PAGES: [&str; 13] = [
    "/",
    "/attention",
    "/instances",
    "/instances/parcel/o-1",
    "/instances/acts?state=stuck&verb=retry",
    "/acts",
    "/questions",
    "/owed",
    "/sagas",
    "/sagas/parcel",
    "/dead-letters",
    "/dead-letters/acts?reason=x",
    "/flow",
];

/// A dev with a parcel that is stuck, and a browser.
fn stage() -> (Dev, Browser) {
    let mut dev = Dev::start();
    dev.says("needs help");
    dev.said_in_time(&["list", "--state", "stuck", "--key", "o-1"], "parcel/o-1 ");
    (dev, Browser::start())
}

#[test]
#[ignore = "needs chromium; tests/run asks for it"]
fn a_stuck_parcel_is_found_understood_and_mended_in_three_clicks() {
    let (dev, browser) = stage();
    browser.open(&format!("{}/", dev.server));
    browser.until("told that one is stuck", "document.querySelector('.verdict.is-wrong')");
    browser.click(".concern .do a");
    browser.until("told why", "document.querySelector('#sentence').innerText.includes('stuck at')");
    let marks = "document.querySelector('#drawing .is-stuck')";
    browser.until("marked in the drawing", marks);
    browser.click(".act.is-first > summary");
    browser.write(".act[open] input[name=why]", "it is back <b>");
    browser.click(".act[open] button.main");
    browser.until("told what came of it", "location.search.startsWith('?acted=')");
    let told = browser.script("return document.querySelector('.note').innerText");
    let told = told.as_str().expect("a text");
    assert!(told.contains("sent again by local: it is back <b>"), "{told}");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
#[ignore = "needs chromium; tests/run asks for it"]
fn an_open_page_follows_what_happens_without_being_loaded_again() {
    let (dev, browser) = stage();
    browser.open(&format!("{}/instances/parcel/o-1", dev.server));
    browser.script("window.mark = 1; document.querySelector('#story').scrollIntoView()");
    dev.said(&["pause", "parcel", "o-1", "--why", "we look into it", "--wait", "60s"]);
    browser.until("paused", "document.querySelector('#state').innerText.includes('paused')");
    let sentence = "document.querySelector('#sentence').innerText.includes('has paused it')";
    browser.until("told who", sentence);
    assert_eq!(browser.script("return window.mark"), 1, "it is the same page");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
#[ignore = "needs chromium; tests/run asks for it"]
fn keys_lead_through_the_console() {
    let (dev, browser) = stage();
    browser.open(&format!("{}/", dev.server));
    browser.until("ready", "document.readyState === 'complete'");
    browser.press("?");
    browser.until("listing the keys", "document.querySelector('#keys').open");
    browser.click("#keys button");
    browser.press("gi");
    browser.until("at the instances", "location.pathname === '/instances'");
    browser.until("ready", "document.querySelector('tr[data-row]')");
    browser.press("j");
    browser.until("at the first row", "document.activeElement.closest('tr[data-row]')");
    browser.press("/");
    browser.until("finding", "document.activeElement.matches('[data-find]')");
    browser.press("o-1\u{e007}");
    browser.until("found", "location.search.includes('key=o-1')");
}

#[test]
#[ignore = "needs chromium; tests/run asks for it"]
fn every_page_fits_every_width_and_asks_nobody_else() {
    let (dev, browser) = stage();
    for page in PAGES {
        fits(&browser, &dev.server, page);
        assert_eq!(browser.complaints(), Vec::<String>::new(), "{page}");
    }
}

/// That a page fits every width in both schemes, and asks nobody else.
fn fits(browser: &Browser, server: &str, page: &str) {
    let folder = std::env::var("SEGUE_TEST_SCREENSHOTS").ok();
    for (width, height) in [(360, 800), (768, 1024), (1440, 1000)] {
        for scheme in ["light", "dark"] {
            browser.look(width, height, scheme);
            browser.open(&format!("{server}{page}"));
            browser.until("ready", "document.readyState === 'complete'");
            let wide = browser.script(
                "const page = document.documentElement;
                 return page.scrollWidth - page.clientWidth",
            );
            let wide = wide.as_i64().expect("a number");
            assert!(wide <= 0, "{page} at {width} is {wide} wider than the window");
            let foreign = browser.script(
                "return performance.getEntriesByType('resource').map((r) => r.name)
                 .filter((name) => !name.startsWith(location.origin))",
            );
            assert_eq!(foreign, serde_json::json!([]), "{page} asks somebody else");
            if let Some(folder) = &folder {
                keep(&browser.picture(), folder, &format!("{page}-{width}-{scheme}"));
            }
        }
    }
}

#[test]
#[ignore = "needs chromium; tests/run asks for it"]
fn whoever_is_not_in_gets_the_form_and_goes_on_to_the_page_that_was_wanted() {
    let (dev, browser) = stage();
    let gate = Gate::before(&dev, &["operator", "viewer"]);
    gate.knows("o-1");
    let enters = |token: &str| {
        browser.until("asked for a token", "document.querySelector('form.login')");
        browser.write("input[name=token]", token);
        browser.click("form.login button");
    };
    let wanted = "/instances/parcel/o-1";
    browser.open(&format!("{}{wanted}", gate.server));
    enters("nobodys-token");
    let refused = "document.querySelector('#said')?.innerText.includes('lets nobody in')";
    browser.until("refused", refused);
    enters(gate.token("viewer"));
    browser.until("led on", &format!("location.pathname === '{wanted}'"));
    browser.until("told where it stands", "document.querySelector('#sentence')");
    assert_eq!(browser.script("return document.querySelectorAll('.act').length"), 0);
    assert_eq!(browser.script("return document.cookie"), "", "no script reads the session");
    fits(&browser, &gate.server, wanted);
    browser.click(".out button");
    browser.until("out", "document.querySelector('#said')?.innerText.includes('logged out')");
    fits(&browser, &gate.server, "/login");
    enters(gate.token("operator"));
    browser.until("led to the first page", "location.pathname === '/'");
    browser.open(&format!("{}{wanted}", gate.server));
    browser.until("offered what can be done", "document.querySelector('.act.is-first')");
    gate.shut();
    browser.until("asked again by itself", "document.querySelector('form.login')");
    let words = browser.script("return document.querySelector('#said').innerText");
    assert!(words.as_str().is_some_and(|words| words.contains("session is over")), "{words}");
    // A browser tells of each answer that is no success.
    let others = browser.complaints().into_iter().filter(|told| !told.contains("401"));
    assert_eq!(others.collect::<Vec<_>>(), Vec::<String>::new());
}

/// Writes a picture to a folder, for people to look at.
fn keep(picture: &str, folder: &str, name: &str) {
    let name = name.replace('/', "_");
    let path = Path::new(folder).join(format!("{name}.png"));
    let mut decode = Command::new("base64");
    let mut child = decode
        .arg("-d")
        .stdin(Stdio::piped())
        .stdout(std::fs::File::create(path).expect("the folder is there"))
        .spawn()
        .expect("base64 is everywhere");
    let mut input = child.stdin.take().expect("it is piped");
    std::io::Write::write_all(&mut input, picture.as_bytes()).expect("it reads");
    drop(input);
    assert!(child.wait().expect("it ends").success());
}
