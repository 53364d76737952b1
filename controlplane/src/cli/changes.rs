//! What differs between two configurations, for people and for programs.

use serde_json::{Value, json};
use tidegate_proto::v1;

use super::table::harmless;

/// A line for each part that came (`+`), went (`-`) or changed (`~`), and below a changed one what of it: on one line where
/// that is short, else the old and the new on lines of their own. What is long is cut; [`json`] has it whole.
pub(super) fn lines(changes: &[v1::UndeployedChange], colour: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for change in changes {
        let (sign, paint) = match change.difference() {
            v1::Difference::Added => ('+', Paint::Green),
            v1::Difference::Removed => ('-', Paint::Red),
            v1::Difference::Changed | v1::Difference::Unspecified => ('~', Paint::Yellow),
        };
        lines.push(paint.on(&format!("{sign} {}", harmless(&change.subject)), colour));
        for member in &change.members {
            let side = |value: &Option<String>| value.as_deref().map(harmless);
            let (old, new) = (side(&member.old), side(&member.new));
            let short = |value: &Option<String>| value.as_deref().unwrap_or(NOTHING).to_owned();
            let line =
                format!("    {}: {} -> {}", harmless(&member.member), short(&old), short(&new));
            if line.chars().count() <= WIDTH {
                lines.push(line);
                continue;
            }
            lines.push(format!("    {}:", harmless(&member.member)));
            for (sign, value, paint) in [('-', old, Paint::Red), ('+', new, Paint::Green)] {
                if let Some(value) = value {
                    lines.push(paint.on(&format!("      {sign} {}", cut(&value)), colour));
                }
            }
        }
    }
    lines
}

/// `2 added, 1 changed`; empty when nothing differs.
pub(super) fn count(changes: &[v1::UndeployedChange]) -> String {
    let of = |kind: v1::Difference| changes.iter().filter(|c| c.difference() == kind).count();
    let counts = [
        (of(v1::Difference::Added), "added"),
        (of(v1::Difference::Removed), "removed"),
        (of(v1::Difference::Changed), "changed"),
    ];
    let words = counts.iter().filter(|(count, _)| *count > 0);
    words.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}

/// Everything, whole.
pub(super) fn json(changes: &[v1::UndeployedChange]) -> Value {
    let value = |text: &Option<String>| -> Value {
        text.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    };
    let each = changes.iter().map(|change| {
        let difference = match change.difference() {
            v1::Difference::Added => "added",
            v1::Difference::Removed => "removed",
            v1::Difference::Changed | v1::Difference::Unspecified => "changed",
        };
        let members = change.members.iter().map(|member| {
            json!({ "member": member.member, "old": value(&member.old), "new": value(&member.new) })
        });
        json!({
            "subject": change.subject, "difference": difference,
            "members": members.collect::<Vec<_>>(),
        })
    });
    each.collect()
}

fn cut(value: &str) -> String {
    if value.chars().count() <= LONGEST {
        return value.to_owned();
    }
    let kept: String = value.chars().take(LONGEST).collect();
    format!("{kept}… (--output json has it whole)")
}

/// Colours of terminals. Source: ECMA-48, SGR 31 to 33.
#[derive(Debug, Clone, Copy)]
pub(super) enum Paint {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

impl Paint {
    /// The text in this colour, if there are colours.
    pub(super) fn on(self, text: &str, colour: bool) -> String {
        if colour { format!("\u{1b}[{}m{text}\u{1b}[0m", self as u8) } else { text.to_owned() }
    }
}

/// Stands for a member that was not there, or is gone.
const NOTHING: &str = "nothing";

/// What is longer takes lines of its own.
const WIDTH: usize = 100;

/// Characters of a value shown to people.
const LONGEST: usize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    fn change(
        subject: &str,
        difference: v1::Difference,
        members: &[(&str, Option<&str>, Option<&str>)],
    ) -> v1::UndeployedChange {
        let members = members.iter().map(|(member, old, new)| v1::MemberChange {
            member: (*member).to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
        });
        v1::UndeployedChange {
            subject: subject.to_owned(),
            difference: difference.into(),
            members: members.collect(),
        }
    }

    #[test]
    fn changes_are_told_shortly_and_whole() {
        let long = format!("\"{}\"", "x".repeat(2_000));
        let changes = [
            change("GET /new", v1::Difference::Added, &[]),
            change("GET /old", v1::Difference::Removed, &[]),
            change(
                "GET /pets",
                v1::Difference::Changed,
                &[("a.b", Some("1"), Some("2")), ("c", None, Some(&long))],
            ),
            change("model \u{1b}[31mPet", v1::Difference::Changed, &[("schema", Some("{}"), None)]),
        ];
        let told = lines(&changes, false);
        assert_eq!(
            told[..5],
            ["+ GET /new", "- GET /old", "~ GET /pets", "    a.b: 1 -> 2", "    c:"]
        );
        assert!(
            told[5].starts_with("      + \"xxx") && told[5].chars().count() < 500,
            "{}",
            told[5]
        );
        assert_eq!(told[6..], ["~ model  [31mPet", "    schema: {} -> nothing"]);
        assert_eq!(lines(&changes, true)[0], "\u{1b}[32m+ GET /new\u{1b}[0m");
        assert_eq!(count(&changes), "1 added, 1 removed, 2 changed");
        assert_eq!(count(&[]), "");
        let json = json(&changes);
        assert_eq!(json[2]["members"][1]["new"].as_str().map(str::len), Some(2_000));
        assert_eq!(
            (&json[0]["difference"], &json[3]["members"][0]["new"]),
            (&"added".into(), &Value::Null)
        );
    }
}
