//! Acts on many, and what an act would do.

use super::login::{answered, sent};
use super::*;
use crate::console::bulks::BulkTold;
use crate::console::foreseen::{ForeseenPage, ForeseenTold};
use crate::console::many::{self, Kind, Looked, ManyPage, OF_INSTANCES, OF_LETTERS, Sample};
use crate::message::Topic;
use crate::runtime::act_of;
use crate::view::{BulkRow, Foreseen};

fn foreseen(changes: &Value) -> ForeseenTold {
    let mut foreseen = json!({
        "refused": null,
        "sent": [{"what": "command", "to": "payments.commands/ChargeCard", "id": "1"}],
        "notes": [{"kind": "acted", "step": "charge-card", "words": HOSTILE, "data": {}}],
        "after": detail(&json!({"state": "running", "stuck": []})).overview,
    });
    for (name, value) in changes.as_object().into_iter().flatten() {
        foreseen[name] = value.clone();
    }
    let foreseen: Foreseen = serde_json::from_value(foreseen).expect("what is foreseen");
    ForeseenTold::of(&foreseen, &catalog(), now())
}

#[test]
fn what_an_act_would_do_is_told_before_it_is_done() {
    let told = foreseen(&json!({}));
    assert_eq!(told.sent, ["command to payments.commands/ChargeCard"]);
    let (state, sentence) = told.after.clone().expect("it is known");
    assert_eq!(state.word, "running");
    assert!(sentence.now.contains("Take the money"), "{}", sentence.now);
    let page = ForeseenPage {
        frame: frame(Section::Instances),
        key: "o-1".to_owned(),
        link: "/instances/order/o-1".to_owned(),
        verb: "skip".to_owned(),
        foreseen: told,
        kept: vec![("step".to_owned(), HOSTILE.to_owned())],
        why: Some(String::new()),
        is_grave: true,
    };
    let page = page.render().expect("a page");
    assert!(page.contains("Nothing is done yet") && page.contains("name=\"sure\""), "{page}");
    assert_eq!(page.matches("<script").count(), 1, "only our own:\n{page}");
    let refused = foreseen(&json!({"refused": "it is not stuck", "after": null}));
    assert_eq!((refused.refused.as_str(), refused.after), ("it is not stuck", None));
}

#[test]
fn an_act_on_many_is_counted_looked_at_and_confirmed() {
    let page = |is_grave| {
        let looked = Looked {
            verb: "skip",
            label: "Skip",
            effect: "They go on.",
            is_grave,
            members: 1_200,
            shown: "1,200".to_owned(),
            sample: vec![Sample {
                name: format!("order/{HOSTILE}"),
                link: "/instances/order/o-1".to_owned(),
                foreseen: foreseen(&json!({"refused": HOSTILE})),
            }],
            left_out: vec![("0/7".to_owned(), HOSTILE.to_owned())],
            form_id: "f00d".to_owned(),
        };
        let page = ManyPage {
            frame: frame(Section::Instances),
            of: "instances",
            filters: vec![("state".to_owned(), "stuck".to_owned())],
            list: "/instances?state=stuck".to_owned(),
            action: "/instances/acts?state=stuck".to_owned(),
            verbs: Vec::new(),
            why: HOSTILE.to_owned(),
            rate: "50".to_owned(),
            looked: Some(looked),
        };
        page.render().expect("a page")
    };
    let grave = page(true);
    for told in ["Skip: 1,200 instances", "name=\"expect\" value=\"1200\"", "name=\"sure\""] {
        assert!(grave.contains(told), "{told} in\n{grave}");
    }
    assert!(!page(false).contains("name=\"sure\""));
    assert_eq!(grave.matches("<script").count(), 1, "only our own:\n{grave}");
}

#[test]
fn everything_that_is_offered_for_many_is_known_to_those_who_do_it() {
    let operator = Topic::new("shop.operator").expect("a name");
    for verb in OF_INSTANCES {
        let act = json!({"verb": verb.verb, "id": "1", "saga": "s", "key": "k", "by": "ana",
            "why": "w"});
        let read = act_of(&operator, act.to_string().into());
        assert!(read.is_ok(), "{}: {:?}", verb.verb, read.err());
        assert_eq!(Kind::of_verb(verb.verb), Kind::Instances);
    }
    let open = Setting::new(OPEN);
    for verb in OF_LETTERS {
        let said = [("verb", verb.verb), ("why", "w")];
        let none = sent(&open, "/dead-letters/acts?reason=lost", "", &said);
        assert_eq!(none.status, 404, "{}: nothing is there:\n{}", verb.verb, none.page);
        assert_eq!(Kind::of_verb(verb.verb), Kind::Letters);
    }
}

#[test]
fn an_act_on_many_says_which_of_them_and_is_meant() {
    let open = Setting::new(OPEN);
    let (plain, which) = ("/instances/acts", "/instances/acts?state=stuck&verb=retry&sort=oldest");
    let asked = Request::get(which).header(header::ACCEPT, "text/html").body(Body::empty());
    let form = answered(&open, asked.expect("a request"));
    assert_eq!(form.status, 200, "{}", form.page);
    assert!(form.page.contains("value=\"retry\" required checked"), "{}", form.page);
    assert!(form.page.contains("action=\"/instances/acts?state=stuck\""), "{}", form.page);
    let cases = [
        (plain, vec![("verb", "retry"), ("why", "w")], 422, "say which instances"),
        (which, vec![("verb", "retry"), ("why", "w")], 404, "no instance is like that"),
        (which, vec![("verb", "dance"), ("why", "w")], 422, "nothing was chosen"),
        (which, vec![("verb", "skip"), ("why", "w"), ("expect", "1")], 422, "that you are sure"),
        (
            which,
            vec![("verb", "retry"), ("why", "w"), ("rate", "fast")],
            422,
            "`rate` is no number",
        ),
    ];
    for (path, said, status, words) in cases {
        let refused = sent(&open, path, "", &said);
        assert_eq!(refused.status, status, "{said:?}: {}", refused.page);
        assert!(refused.page.contains(words), "{words}: {}", refused.page);
    }
}

#[test]
fn acts_on_many_are_offered_to_those_who_may_and_where_a_filter_says_which() {
    let (stuck, all) = (Query::read("state=stuck&after=1f-2"), Query::read("sort=oldest"));
    let link = |query: &Query, shown, role| many::link(Kind::Instances, query, shown, role);
    let offered = link(&stuck, 9, Role::Operator);
    assert_eq!(offered.as_deref(), Some("/instances/acts?state=stuck"));
    assert_eq!(link(&stuck, 9, Role::Viewer), None);
    assert_eq!(link(&stuck, 0, Role::Admin), None);
    assert_eq!(link(&all, 9, Role::Admin), None, "not all that there are");
    let group: AttentionGroup = serde_json::from_value(json!({
        "concern": "stuck", "saga": "s", "step": "pay", "reason": "r", "error": null,
        "instances": 9, "oldest": "2026-11-30T17:55:00.000Z", "key": "k",
    }))
    .expect("a group");
    let retry =
        |role| concerns(std::slice::from_ref(&group), role, now())[0].groups[0].retry.clone();
    let which = "/instances/acts?saga=s&state=stuck&step=pay&verb=retry";
    assert_eq!((retry(Role::Operator).as_deref(), retry(Role::Viewer)), (Some(which), None));
}

#[test]
fn how_far_an_act_on_many_is_stands_in_words_beside_its_bar() {
    let row = |verb: &str| -> BulkRow {
        serde_json::from_value(json!({
            "id": "b/1", "at": "2026-11-30T17:55:00.000Z", "by": "ana", "why": "w", "verb": verb,
            "filter": "state=stuck", "members": 1_000, "written": 4, "ended": null,
        }))
        .expect("a row")
    };
    let told = BulkTold::of(&row("retry"), "running", now());
    assert_eq!((told.progress.as_str(), told.class), ("4 of 1,000 written", "is-busy"));
    assert_eq!((told.link.as_str(), told.list.as_str()), ("/acts/b%2F1", "/instances?state=stuck"));
    let letters = BulkTold::of(&row("discard"), "unended", now());
    assert_eq!((letters.state.as_str(), letters.class), ("nothing tells of its end", "is-wrong"));
    assert_eq!(letters.list, "/dead-letters?state=stuck");
    assert_eq!(Kind::Letters.page_of("0/7"), "/dead-letters/0/7");
    assert_eq!(Kind::Instances.page_of("order/a/b"), "/instances/order/a%2Fb");
}
