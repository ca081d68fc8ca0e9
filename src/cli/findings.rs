//! Findings for editors and CI.

use serde_json::{Value, json};

use super::check::Checked;
use crate::checker::{Finding, Report};
use crate::definition::{Diagnostic, Severity};

/// All of it as one object: `findings`, and `proofs` of the definitions that were run through.
pub(super) fn json(checked: &Checked) -> Value {
    let mut findings: Vec<Value> = checked.diagnostics.iter().map(diagnostic).collect();
    for (file, report) in &checked.reports {
        findings.extend(report.findings.iter().map(|finding| broken(file, finding)));
        findings.extend(report.bound.iter().map(|bound| diagnostic(&bound.diagnostic(file))));
    }
    let proofs: Vec<Value> = checked.reports.iter().map(|(f, report)| proof(f, report)).collect();
    json!({ "findings": findings, "proofs": proofs })
}

fn severity(of: Severity) -> &'static str {
    match of {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn diagnostic(d: &Diagnostic) -> Value {
    json!({
        "file": d.file,
        "line": d.line,
        "column": d.column,
        "code": d.code.to_string(),
        "severity": severity(d.severity),
        "message": d.message,
        "help": d.help,
    })
}

fn broken(file: &str, finding: &Finding) -> Value {
    let mut told = diagnostic(&finding.diagnostic(file));
    told["step"] = json!(finding.broken.step);
    told["promise"] = json!(finding.broken.promise.text());
    told["story"] = json!(finding.story);
    told
}

fn proof(file: &str, report: &Report) -> Value {
    json!({
        "file": file,
        "saga": report.saga.as_str(),
        "states": report.states,
        "moves": report.moves,
        "deepest": report.deepest,
        "bounded": report.bound.is_some(),
        "proved": report.is_proved(),
        "assumed": report.assumed,
        "endings": report.endings.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// The same as SARIF 2.1.0.
pub(super) fn sarif(checked: &Checked) -> Value {
    let mut results: Vec<Value> = Vec::new();
    for d in &checked.diagnostics {
        results.push(located(d, &[]));
    }
    for (file, report) in &checked.reports {
        for finding in &report.findings {
            results.push(located(&finding.diagnostic(file), &finding.story));
        }
        results.extend(report.bound.iter().map(|bound| located(&bound.diagnostic(file), &[])));
    }
    let driver = json!({ "name": "segue", "version": env!("CARGO_PKG_VERSION") });
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": driver }, "results": results }],
    })
}

/// A diagnostic with its place, its mend and the run that leads to it.
fn located(d: &Diagnostic, story: &[String]) -> Value {
    let help = d.help.iter().map(|help| format!("help: {help}"));
    let lines = [d.message.clone()].into_iter().chain(help).chain(story.iter().cloned());
    let message = lines.collect::<Vec<_>>().join("\n");
    let region = json!({ "startLine": d.line, "startColumn": d.column });
    let place = json!({ "artifactLocation": { "uri": d.file }, "region": region });
    json!({
        "ruleId": d.code.to_string(),
        "level": severity(d.severity),
        "message": { "text": message },
        "locations": [{ "physicalLocation": place }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker;
    use crate::definition;

    /// What is said of a definition whose wait lost its limits behind the parser's back.
    fn checked() -> Checked {
        checked_up_to(100)
    }

    /// The same after a look at so many states.
    fn checked_up_to(states_max: usize) -> Checked {
        let text = "saga: s\nversion: 1\nstart: { on: t/A, key: event.id }\nwithin: 1d\n\
                    events: { t/*: { key: event.id } }\nsteps:\n  - { step: w, wait: t/B }\n";
        let mut definition = definition::parse("s.yaml", text).expect("it parses");
        definition.within = None;
        let report = checker::check(&definition, &[], states_max);
        Checked { reports: vec![("s.yaml".to_owned(), report)], ..Checked::default() }
    }

    #[test]
    fn a_broken_promise_has_its_code_line_and_mend_as_json() {
        let told = json(&checked());
        let finding = &told["findings"][0];
        assert_eq!(finding["code"], "SG1006", "{told}");
        assert_eq!((&finding["line"], &finding["column"]), (&json!(7), &json!(3)), "{told}");
        assert!(finding["help"].as_str().is_some_and(|help| help.contains("within")), "{told}");
        assert!(finding["story"].as_array().is_some_and(|story| !story.is_empty()), "{told}");
    }

    #[test]
    fn a_broken_promise_has_its_code_line_and_mend_as_sarif() {
        let told = sarif(&checked());
        let result = &told["runs"][0]["results"][0];
        assert_eq!(result["ruleId"], "SG1006", "{told}");
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert_eq!(region["startLine"], 7, "{told}");
        let message = result["message"]["text"].as_str().unwrap_or_default();
        assert!(message.contains("\nhelp: ") && message.contains("customer"), "{told}");
    }

    #[test]
    fn a_bound_that_is_reached_is_a_warning_with_a_code() {
        let checked = checked_up_to(1);
        let told = json(&checked);
        let finding = &told["findings"][0];
        assert_eq!((&finding["code"], &finding["severity"]), (&json!("SG1010"), &json!("warning")));
        assert_eq!(
            (&told["proofs"][0]["bounded"], finding["line"].as_u64()),
            (&json!(true), Some(1))
        );
        let told = sarif(&checked);
        let result = &told["runs"][0]["results"][0];
        assert_eq!((&result["ruleId"], &result["level"]), (&json!("SG1010"), &json!("warning")));
    }
}
