//! The columns of the list of instances.

use super::*;

fn page(query: &str) -> String {
    let mut row = row("o-1", "it has not answered");
    row["fields"] = json!({"data.total": "149.9", "data.customer": HOSTILE});
    let list = list(&json!([row]), query);
    InstancesPage { frame: frame(Section::Instances), list }.render().expect("a page")
}

fn heads(page: &str) -> Vec<&str> {
    let head = page.split_once("<thead>").and_then(|(_, rest)| rest.split_once("</thead>"));
    let cells = head.expect("a table").0.split("</th>").filter_map(|cell| {
        let text = cell.rsplit_once("scope=\"col\"")?.1.split_once('>')?.1;
        text.rsplit('>').find(|part| !part.trim().is_empty() && !part.contains('<')).or(Some(text))
    });
    cells.collect()
}

#[test]
fn the_address_says_which_columns_there_are() {
    let usual = page("state=stuck");
    assert!(usual.contains("Next timer</th>") && !usual.contains("Last change</th>"), "{usual}");
    assert_eq!(heads(&usual).len(), 7, "{:?}", heads(&usual));
    let chosen = page("state=stuck&column=changed&column=data.total&column=data.gone");
    assert_eq!(
        heads(&chosen),
        ["State", "Instance", "Last change", "data.gone", "data.total"],
        "{chosen}"
    );
    assert!(chosen.contains("<bdi>149.9</bdi>"), "{chosen}");
    let next = "/instances?state=stuck&amp;column=changed&amp;column=data.total";
    let next_escaped = next.replace("&amp;", "&#38;");
    assert!(chosen.contains(next) || chosen.contains(&next_escaped), "links keep them: {chosen}");
    let hostile = page("column=data.customer&column=%3Cscript%3E");
    assert_eq!(hostile.matches("<script").count(), 1, "only our own: {hostile}");
}
