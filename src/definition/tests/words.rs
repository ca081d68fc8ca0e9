//! What is said of mistakes whose cause lies elsewhere than where they show.

use super::*;

const HEAD: &str = "saga: parcel\nversion: 1\nstart: { on: shop.orders/Placed, key: event.id }\n\
                    data: { id: event.id, total: event.total }\nwithin: 10d\nlate: 30d\nsteps:\n";
const STEP: &str = "  - step: reserve\n    command: stock/Reserve\n    done: stock/Reserved\n    \
                    compensate: { command: stock/Release, done: stock/Released }\n";

/// What is found: code, line and column, and the words.
fn found(text: &str) -> Vec<(String, String)> {
    let all = super::check("saga.yaml", text).1;
    let told = |d: &Diagnostic| {
        let place = format!("{} {}:{}", d.code, d.line, d.column);
        (place, format!("{} | {}", d.message, d.help.as_deref().unwrap_or_default()))
    };
    all.iter().map(told).collect()
}

fn one(text: &str) -> (String, String) {
    let mut all = found(text);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

#[test]
fn a_letter_of_another_alphabet_is_named() {
    let (place, words) = one(&format!("{HEAD}{STEP}    wіthin: 10s\n"));
    assert_eq!(place, "SG0102 12:5");
    assert!(words.contains("`і`, U+0456, is a Cyrillic letter"), "{words}");
    assert!(words.contains("did you mean `within`?"), "{words}");
    let (_, words) = one(&format!("{HEAD}{STEP}    when: data.totаl > 1\n"));
    assert!(words.contains("`а`, U+0430, is a Cyrillic letter"), "{words}");
    let (_, words) = one(&format!("{HEAD}{STEP}    when: data.id == “a”\n"));
    assert!(words.contains("`“`, U+201C, is a typographic quote"), "{words}");
    let (_, words) = one(&format!("{HEAD}{STEP}    when: data.id\u{a0}== 'a'\n"));
    assert!(words.contains("U+00A0, is a no-break space"), "{words}");
}

#[test]
fn what_other_languages_call_a_key_leads_to_ours() {
    for (theirs, ours) in [("timeout: 10s", "within"), ("condition: data.total > 1", "when")] {
        let (place, words) = one(&format!("{HEAD}{STEP}    {theirs}\n"));
        assert_eq!(place, "SG0102 12:5");
        assert!(words.ends_with(&format!("did you mean `{ours}`?")), "{words}");
    }
}

#[test]
fn a_duration_is_no_moment() {
    let (place, words) = one(&format!("{HEAD}{STEP}  - {{ step: rest, until: 24h }}\n"));
    assert_eq!(place, "SG0301 12:26");
    assert!(words.contains("`24h` is a duration | write `sleep: 24h`"), "{words}");
}

#[test]
fn a_comma_in_braces_ends_a_value() {
    let step = "  - { step: rest, sleep: 1d, when: data.total.exists(l, l > 1) }\n";
    let (place, words) = one(&format!("{HEAD}{STEP}{step}"));
    assert_eq!(place, "SG0109 12:36");
    let mend = "quote the expression: `when: 'data.total.exists(l, l > 1)'`";
    assert!(words.ends_with(mend), "{words}");
    let text = HEAD.replace("key: event.id }", "where: event.a in [1, 2], key: event.id }");
    let (place, words) = one(&format!("{text}{STEP}"));
    assert!(place.starts_with("SG0109 3:"), "{place}");
    assert!(words.ends_with("quote the expression: `where: 'event.a in [1, 2]'`"), "{words}");
}

#[test]
fn a_merge_key_is_refused_wherever_it_stands() {
    let (place, words) = one(&format!("{HEAD}{STEP}    with: {{ <<: {{ a: 1 }}, b: 2 }}\n"));
    assert_eq!(place, "SG0110 12:13");
    assert!(words.contains("`<<` merges nothing"), "{words}");
    assert_eq!(found(&format!("{HEAD}{STEP}    with: {{ \"<<\": 1 }}\n")), []);
}

#[test]
fn anchors_are_written_out_and_a_mark_in_front_is_no_mistake() {
    let text = format!("{HEAD}{STEP}    with: {{ a: &id \"${{data.id}}\", b: *id }}\n");
    assert_eq!(found(&text), []);
    assert_eq!(found(&text.replace('\n', "\r\n")), []);
    let wrong = found(&text.replace("data.id}", "data.ix}").replace('\n', "\r\n"));
    let places: Vec<&str> = wrong.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, ["SG0206 12:23", "SG0206 12:37"]);
}

#[test]
fn an_event_that_says_two_things_is_shown_where_it_says_no() {
    let (place, _) = one(&format!("{HEAD}{STEP}    failed: stock/Reserved\n"));
    assert_eq!(place, "SG0108 12:5");
}

#[test]
fn a_pivot_that_cannot_be_one_is_the_one_mistake() {
    let text = "  - step: both\n    pivot: true\n    parallel:\n      a: [ { step: a, emit: t/A, \
                compensate: none } ]\n  - step: ship\n    command: ship/Ship\n    done: \
                ship/Done\n";
    assert_eq!(one(&format!("{HEAD}{text}")).0, "SG0406 9:5");
}

#[test]
fn behind_the_pivot_a_fan_out_says_what_rejects_it() {
    let text = "  - step: pay\n    pivot: true\n    command: pay/Pay\n    done: pay/Paid\n  \
                - step: each\n    each: data.total\n    at-most: 3\n    steps: [ { step: tell, \
                emit: t/T } ]\n";
    let (place, words) = one(&format!("{HEAD}{text}"));
    assert_eq!(place, "SG0402 12:5");
    assert!(words.contains("the list is longer than `at-most`"), "{words}");
    assert!(words.contains("`failed: { then: park }`"), "{words}");
}

#[test]
fn every_step_that_may_have_set_a_field_is_named() {
    let set = |name: &str, on: u32| {
        format!(
            "  - step: {name}\n    command: stock/Ask{on}\n    done: {{ on: stock/Said{on}, \
             set: {{ found: event.n }} }}\n    failed: {{ on: stock/No{on}, then: go-on }}\n    \
             compensate: none\n"
        )
    };
    let read = "  - { step: tell, emit: t/T, with: { n: \"${data.found}\" }, compensate: none }\n";
    let (_, words) = one(&format!("{HEAD}{}{}{read}", set("near", 1), set("far", 2)));
    assert!(words.contains("`near` on line 8 and `far` on line 13 set it"), "{words}");
}

#[test]
fn a_saga_that_tells_its_ends_tells_when_it_is_stuck() {
    let ends = "ends: { completed: { emit: t/Done } }\n";
    let (place, words) = one(&format!("{HEAD}{STEP}{ends}"));
    assert_eq!(place, "SG0415 12:1");
    assert!(words.contains("`reserve` on line 8"), "{words}");
    let both = ends.replace(" }\n", ", stuck: { emit: t/Stuck } }\n");
    assert_eq!(found(&format!("{HEAD}{STEP}{both}")), []);
}

#[test]
fn an_undoing_that_another_step_knows_to_be_refused_says_so() {
    let release = "  - step: release\n    command: stock/Release\n    done: stock/Gone\n    \
                   failed: stock/Sold\n    compensate: none\n";
    let all = found(&format!("{HEAD}{STEP}{release}"));
    let told: Vec<_> = all.iter().filter(|(place, _)| place.starts_with("SG0414 11:")).collect();
    assert_eq!(told.len(), 1, "{all:#?}");
    let said = STEP.replace("done: stock/Released", "done: [stock/Released, stock/Sold]");
    let all = found(&format!("{HEAD}{said}{release}"));
    assert!(all.iter().all(|(place, _)| !place.starts_with("SG0414")), "{all:#?}");
}

/// The codes of what is said of sagas together.
fn together(texts: &[&str]) -> Vec<String> {
    let read = |text: &&str| parse("saga.yaml", text).unwrap_or_else(|e| panic!("\n{e}"));
    let all: Vec<Definition> = texts.iter().map(read).collect();
    let found = check_together(all.iter().map(|definition| ("saga.yaml", definition)));
    found.iter().map(|d| format!("{} {}", d.code, d.line)).collect()
}

#[test]
fn a_saga_that_starts_itself_without_an_end_is_warned_of() {
    let tick = "saga: tick\nversion: 1\nstart: { on: t/Tick, after: new }\nsteps:\n  - { step: \
                tell, emit: t/Tock, compensate: none }\n";
    let tock = tick.replace("saga: tick", "saga: tock").replace("t/Tick", "t/Tock");
    let tock = tock.replace("emit: t/Tock", "emit: t/Tick");
    assert_eq!(together(&[tick]), [""; 0]);
    let own = tick.replace("t/Tock", "t/Tick");
    assert_eq!(together(&[&own]), ["SG0604 3"]);
    assert_eq!(together(&[tick, &tock]), ["SG0604 3", "SG0604 3"]);
    for ends in ["where: event.n > 0, after: new", "after: ignore"] {
        assert_eq!(together(&[&own.replace("after: new", ends)]), [""; 0], "{ends}");
    }
    let sometimes =
        own.replace("step: tell,", "step: tell, when: now < timestamp('2020-01-01T00:00:00Z'),");
    assert_eq!(together(&[&sometimes]), [""; 0]);
}

#[test]
fn a_state_is_a_word_and_belongs_to_what_events_start() {
    let state = |word: &str| HEAD.replace("version: 1", &format!("version: 1\nstate: {word}"));
    for (word, state_of) in State::WORDS {
        let read = parse("saga.yaml", &format!("{}{STEP}", state(word)));
        assert_eq!(read.map(|definition| definition.state), Ok(state_of));
    }
    assert_eq!(one(&format!("{}{STEP}", state("stopped"))).0, "SG0107 3:8");
    let child =
        state("paused").replace("{ on: shop.orders/Placed, key: event.id }", "{ by: parent }");
    assert_eq!(one(&format!("{child}{STEP}")).0, "SG0108 3:8");
}

#[test]
fn a_condition_that_the_data_cannot_change_is_told() {
    let step = |guard: &str| found(&format!("{HEAD}{STEP}    when: '{guard}'\n"));
    for guard in ["data.total != 1 || data.total != 2", "data.total > 3 || data.total < 5"] {
        assert_eq!(step(guard)[0].0, "SG0405 12:12", "{guard}");
    }
    for guard in ["true", "data.total > 3 || data.total < 3", "data.id != \"a\" || data.total > 1"]
    {
        assert!(step(guard).is_empty(), "{guard}");
    }
    let (place, words) = one(&format!("{HEAD}{STEP}    when: data.total > 3 && data.total < 2\n"));
    assert_eq!((&place[..], &words[..18]), ("SG0701 12:11", "this is never true"));
}

#[test]
fn a_pivot_that_cannot_be_read_is_told_once() {
    let pay = "  - step: pay\n    command: cards/Pay\n    done: cards/Paid\n";
    for pivot in ["yes", "'true'", "1"] {
        let step =
            format!("{pay}    pivot: {pivot}\n  - {{ step: tell, emit: shop.orders/Paid }}\n");
        let (place, words) = one(&format!("{HEAD}{step}"));
        assert_eq!(place, "SG0104 11:12", "{words}");
    }
}

#[test]
fn what_is_waited_for_is_not_to_be_told_by_a_command() {
    let waits = "  - { step: first, wait: clinic/Came }\n  - { step: second, wait: clinic/Came }\n";
    let (place, words) = one(&format!("{HEAD}{waits}"));
    assert_eq!(place, "SG0601 9:27");
    assert!(words.contains("`where`") && !words.contains("command-id"), "{words}");
    let other = "  - { step: next, command: stock/Take, done: stock/Reserved, compensate: none }\n";
    let (_, words) = one(&format!("{HEAD}{STEP}{other}"));
    assert!(words.contains("by: command-id"), "{words}");
}
