//! Where the instances of a version are.

use super::*;
use crate::console::drawing;
use crate::console::saga::steps;
use crate::view::StepCount;

fn counts() -> Vec<StepCount> {
    let count =
        |step: &str, state, instances| StepCount { step: step.to_owned(), state, instances };
    vec![
        count("charge-card", LifeState::Running, 1_200),
        count("charge-card", LifeState::Stuck, 3),
        count("reserve-stock", LifeState::Compensating, 1),
        count("reserve-stock", LifeState::Retrying, 40),
        count("gone-with-an-older-version", LifeState::Running, 1),
    ]
}

#[test]
fn a_drawing_tells_by_signs_how_many_are_at_each_step() {
    let catalog = catalog();
    let definition = parse("saga.yaml", SAGA).expect("it is shipped");
    let drawn = drawing::of_saga(&catalog, &definition, &counts());
    for told in ["! 3<", "● 1200<", "↻ 40<", "● 1<", "class=\"at-stuck\"", "class=\"at-retrying\""]
    {
        assert_eq!(drawn.matches(told).count(), 1, "{told} in\n{drawn}");
    }
    roxmltree::Document::parse(&drawn).expect("XML");
    let quiet = drawing::of_saga(&catalog, &definition, &[]);
    assert!(!quiet.contains("mark-box is-under-way") && !quiet.contains("at-stuck"), "{quiet}");
}

#[test]
fn each_count_leads_to_the_instances_that_it_counts() {
    let definition = parse("saga.yaml", SAGA).expect("it is shipped");
    let lines = steps(&definition, &counts());
    let names: Vec<_> = lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names, ["charge-card", "reserve-stock", "gone-with-an-older-version"]);
    let cells: Vec<_> = lines[0]
        .cells
        .iter()
        .map(|cell| (cell.state.word, cell.instances.as_str(), cell.link.as_str()))
        .collect();
    let base = "/instances?saga=order-fulfilment&version=1&step=charge-card";
    let (stuck, running) = (format!("{base}&state=stuck"), format!("{base}&state=running"));
    assert_eq!(cells, [("stuck", "3", stuck.as_str()), ("running", "1,200", running.as_str())]);
    assert_eq!(lines[0].title, "“Take the money”");
}
