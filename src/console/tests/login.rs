//! Coming in and going out, through the whole router.

use super::*;

/// What a browser is answered.
pub(super) struct Answered {
    pub status: u16,
    pub cookie: String,
    pub place: String,
    pub page: String,
}

pub(super) fn answered(setting: &Setting, asked: Request<Body>) -> Answered {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let answer = setting.router.clone().call(asked).await.expect("it always answers");
        let text = |name| {
            let value = answer.headers().get(name).map(|value| value.to_str().expect("text"));
            value.unwrap_or_default().to_owned()
        };
        let (cookie, place) = (text(header::SET_COOKIE), text(header::LOCATION));
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.expect("a whole body").to_bytes();
        Answered { status, cookie, place, page: String::from_utf8_lossy(&body).into_owned() }
    })
}

fn opened(setting: &Setting, path: &str, cookie: &str) -> Answered {
    let asked = Request::get(path).header(header::ACCEPT, "text/html,*/*");
    let asked = asked.header(header::COOKIE, cookie).body(Body::empty());
    answered(setting, asked.expect("a request"))
}

/// A form that a page of this server sends.
pub(super) fn sent(setting: &Setting, path: &str, cookie: &str, said: &[(&str, &str)]) -> Answered {
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(said).finish();
    let asked = Request::post(path)
        .header(header::ACCEPT, "text/html,*/*")
        .header(header::HOST, "127.0.0.1:8900")
        .header(header::ORIGIN, "http://127.0.0.1:8900")
        .header(header::REFERER, "http://127.0.0.1:8900/questions")
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    answered(setting, asked.body(Body::from(form)).expect("a request"))
}

#[test]
fn whoever_logs_in_goes_on_to_the_page_that_was_wanted_and_out_again() {
    let closed = Setting::new(CLOSED);
    let wanted = "/instances?state=stuck";
    let form = opened(&closed, wanted, "");
    assert_eq!(form.status, 401);
    assert!(form.page.contains("name=\"to\" value=\"/instances?state=stuck\""), "{}", form.page);
    assert!(!form.page.contains("<script"), "it needs none");

    let token = closed.token(Role::Operator);
    let begun = sent(&closed, "/login", "", &[("to", wanted), ("token", token)]);
    assert_eq!((begun.status, begun.place.as_str()), (303, wanted));
    let (cookie, rest) = begun.cookie.split_once("; ").expect("attributes");
    assert_eq!(rest, "Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
    let page = opened(&closed, wanted, cookie);
    assert_eq!(page.status, 200, "{}", page.page);
    assert!(page.page.contains("the-operator") && page.page.contains("Log out"), "{}", page.page);

    let ended = sent(&closed, "/logout", cookie, &[]);
    assert_eq!((ended.status, ended.place.as_str()), (303, "/login?out=yes"));
    assert!(ended.cookie.starts_with("segue-session=; Path=/; Max-Age=0;"), "{}", ended.cookie);
    assert!(opened(&closed, &ended.place, "").page.contains("You are logged out."));
    let kept = opened(&closed, "/", cookie);
    assert_eq!(kept.status, 401, "who has kept the cookie has nothing");
    assert!(kept.page.contains("Your session is over."), "{}", kept.page);
    let act = [("verb", "retry"), ("why", "w")];
    let act = sent(&closed, "/instances/order/o-1/acts", cookie, &act);
    assert!(act.status == 401 && act.page.contains("What you sent was not done"), "{}", act.page);
    assert!(act.page.contains("value=\"/questions\""), "the page that it was sent from");
}

#[test]
fn a_token_that_lets_nobody_in_is_told_in_a_sentence_and_not_shown_again() {
    let closed = Setting::new(CLOSED);
    let long = "x".repeat(17_000);
    for (token, words) in [
        ("nobodys-token", "This token lets nobody in: nobody has this token."),
        (long.as_str(), "it has 17000 bytes; 16384 at most"),
        ("  ", "No token was given."),
        ("", "No token was given."),
    ] {
        let said = [("to", "/\"><script>alert(1)</script>"), ("token", token)];
        let refused = sent(&closed, "/login", "", &said);
        assert_eq!((refused.status, refused.cookie.as_str()), (401, ""), "{words}");
        assert!(refused.page.contains(words), "{words}: {}", refused.page);
        assert!(!refused.page.contains("<script") && !refused.page.contains("nobodys-token"));
    }
    let elsewhere = [("to", "//evil.example"), ("token", closed.token(Role::Viewer))];
    assert_eq!(sent(&closed, "/login", "", &elsewhere).place, "/");
}

#[test]
fn where_nobody_needs_a_token_nobody_is_asked_for_one() {
    let open = Setting::new(OPEN);
    let form = opened(&open, "/login?to=/owed", "");
    assert_eq!((form.status, form.place.as_str()), (303, "/owed"));
    assert!(!opened(&open, "/", "").page.contains("Log out"), "there is nothing to end");
}

#[test]
fn a_provider_of_tokens_is_named_with_what_to_do() {
    let issuer = Some(("https://id.example/realm".to_owned(), "segue".to_owned()));
    let form = |tokens| {
        let ways = WaysIn { tokens, issuer: issuer.clone() };
        let form = LoginPage { said: None, to: "/".to_owned(), ways };
        form.render().expect("a page")
    };
    let alone = form(false);
    assert!(alone.contains("Paste a token that <code>https://id.example/realm</code>"), "{alone}");
    assert!(!alone.contains("segue token new"), "those of a file do not count");
    let both = form(true);
    assert!(both.contains("segue token new") && both.contains("Or paste a token"), "{both}");
}

#[test]
fn whoever_may_only_look_sees_no_form_that_acts() {
    let forms = |page: &str| page.matches("method=\"post\"").count();
    let question: OpenQuestion = serde_json::from_value(json!({
        "who": "sales", "saga": "s", "key": "k", "step": "ask", "choices": ["yes"],
        "since": null, "until": null,
    }))
    .expect("a question");
    let pages = |role: Role| {
        let questions = QuestionsPage {
            frame: frame(Section::Questions),
            roles: by_role(std::slice::from_ref(&question), now()),
            may_answer: role >= Role::Operator,
            form_id: "f".to_owned(),
        };
        let instance = instance_page(told(&detail(&json!({})), &entries(), role));
        [instance, questions.render().expect("a page")]
    };
    for page in pages(Role::Viewer) {
        assert_eq!(forms(&page), 0, "{page}");
    }
    for page in pages(Role::Operator) {
        assert!(forms(&page) > 0, "{page}");
    }
}
