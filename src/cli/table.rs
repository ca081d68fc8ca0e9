use serde_json::Value;

/// What stands between two columns.
const GAP: &str = "  ";

/// A column: its head, and where its value stands in a row.
pub(super) struct Column {
    head: &'static str,
    /// JSON pointers; the values that are there are joined.
    at: &'static [&'static str],
    between: &'static str,
}

/// A column of one value.
pub(super) const fn column(head: &'static str, at: &'static [&'static str]) -> Column {
    Column { head, at, between: "/" }
}

/// Lines of a table with its head, as wide as what stands in it.
pub(super) fn table(rows: &[Value], columns: &[Column]) -> Vec<String> {
    let head = columns.iter().map(|column| column.head.to_owned()).collect();
    let mut lines: Vec<Vec<String>> = vec![head];
    lines.extend(rows.iter().map(|row| columns.iter().map(|column| column.text(row)).collect()));
    aligned(&lines)
}

/// Lines whose cells stand below each other.
pub(super) fn aligned(lines: &[Vec<String>]) -> Vec<String> {
    let width = |place: usize| {
        let cells = lines.iter().filter_map(|line| line.get(place));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let columns = lines.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let laid = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    lines.iter().map(laid).collect()
}

impl Column {
    fn text(&self, row: &Value) -> String {
        let parts = self.at.iter().map(|at| text(row, at)).filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(self.between)
    }
}

/// A value as a person reads it; what is not there is empty.
pub(super) fn text(value: &Value, at: &str) -> String {
    match value.pointer(at) {
        None | Some(Value::Null) => String::new(),
        // What a participant wrote may hold anything; a terminal obeys control signs.
        Some(Value::String(text)) => text.chars().map(printable).collect(),
        Some(Value::Array(items)) => {
            let items = (0..items.len()).map(|place| text(value, &format!("{at}/{place}")));
            items.collect::<Vec<_>>().join(",")
        }
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_))) => other.to_string(),
    }
}

fn printable(sign: char) -> char {
    if sign.is_control() { ' ' } else { sign }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let rows = [
            json!({"saga": "order", "key": "o-1", "reason": null, "versions": [1, 2]}),
            json!({"saga": "a", "key": "ü", "reason": "line\u{1b}[31m\none", "versions": []}),
        ];
        let columns = [
            column("INSTANCE", &["/saga", "/key"]),
            column("REASON", &["/reason"]),
            column("VERSIONS", &["/versions"]),
        ];
        let lines = [
            "INSTANCE   REASON         VERSIONS",
            "order/o-1                 1,2",
            "a/ü        line [31m one",
        ];
        assert_eq!(table(&rows, &columns), lines);
    }
}
