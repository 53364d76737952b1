//! How many instructions each case may take, as `budgets.toml` has it.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Deserialize;

use crate::cases::ALL;

/// Instructions per iteration by case, as measured.
pub type Counts = BTreeMap<&'static str, f64>;

/// What was agreed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budgets {
    /// A count may exceed its budget by so much: inlining moves a little with code elsewhere.
    pub tolerance_percent: f64,
    /// Instructions per iteration by case.
    #[serde(default)]
    pub instructions: BTreeMap<String, u64>,
    /// Bounds that hold whatever the budgets are.
    #[serde(default)]
    pub ratio: Vec<Ratio>,
}

/// A bound on one case beside another.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratio {
    /// What it is about.
    pub name: String,
    /// The case above the line.
    pub of: String,
    /// The case below it.
    pub to: String,
    /// The most it may be.
    pub at_most: f64,
}

/// Measured counts beside their budgets.
#[derive(Debug, Default)]
pub struct Verdict {
    /// A table to print.
    pub table: String,
    /// One sentence for each bound that was broken.
    pub broken: Vec<String>,
}

impl Budgets {
    /// Reads the file's text.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Takes measured counts over as budgets; what was not measured stays, what is no case any more goes.
    pub fn renew(&mut self, counts: &Counts) {
        self.instructions.retain(|name, _| ALL.iter().any(|case| case.name == name));
        for (name, count) in counts {
            self.instructions.insert((*name).to_owned(), count.round() as u64);
        }
    }

    /// The file's text, with its cases in their order.
    pub fn text(&self) -> String {
        let mut out =
            format!("{HEADER}tolerance_percent = {}\n\n[instructions]\n", self.tolerance_percent);
        for case in &ALL {
            if let Some(count) = self.instructions.get(case.name) {
                let _ = writeln!(out, "{} = {count}", case.name);
            }
        }
        for Ratio { name, of, to, at_most } in &self.ratio {
            let _ = write!(
                out,
                "\n[[ratio]]\nname = {name:?}\nof = {of:?}\nto = {to:?}\nat_most = {at_most}\n"
            );
        }
        out
    }

    /// Judges counts. A count far below its budget breaks nothing, and the table says that the budget can be lowered.
    pub fn judge(&self, counts: &Counts) -> Verdict {
        let mut verdict = Verdict::default();
        let Verdict { table, broken } = &mut verdict;
        let _ = writeln!(
            table,
            "{:<24} {:>13} {:>11} {:>9}",
            "case", "instructions", "budget", "change"
        );
        for case in &ALL {
            let Some(&count) = counts.get(case.name) else { continue };
            let Some(&budget) = self.instructions.get(case.name) else {
                let _ = writeln!(table, "{:<24} {count:>13.1} {:>11} {:>9}", case.name, "none", "");
                broken.push(format!("{} has no budget", case.name));
                continue;
            };
            let change = (count / budget as f64 - 1.0) * 100.0;
            let remark = if count > budget as f64 * (100.0 + self.tolerance_percent) / 100.0 {
                broken.push(format!(
                    "{} takes {count:.1} instructions, {change:.1}% above its budget of {budget}",
                    case.name
                ));
                "  over"
            } else if change < -self.tolerance_percent {
                "  lower the budget"
            } else {
                ""
            };
            let _ = writeln!(
                table,
                "{:<24} {count:>13.1} {budget:>11} {change:>+8.1}%{remark}",
                case.name
            );
        }
        for Ratio { name, of, to, at_most } in &self.ratio {
            let (Some(above), Some(below)) = (counts.get(&**of), counts.get(&**to)) else {
                continue;
            };
            let ratio = above / below;
            let over = ratio.is_nan() || ratio > *at_most;
            let remark = if over { "  over" } else { "" };
            let _ = writeln!(table, "{name}: {of} / {to} = {ratio:.3}, at most {at_most}{remark}");
            if over {
                broken.push(format!("{name}: {of} / {to} is {ratio:.3}, more than {at_most}"));
            }
        }
        verdict
    }

    /// What in the file names no case, and the cases that have no budget.
    pub fn gaps(&self) -> Vec<String> {
        let is_case = |name: &str| ALL.iter().any(|case| case.name == name);
        let ratios = self.ratio.iter().flat_map(|ratio| [&ratio.of, &ratio.to]);
        let unknown = self.instructions.keys().chain(ratios).filter(|name| !is_case(name));
        let missing = ALL.iter().filter(|case| !self.instructions.contains_key(case.name));
        unknown
            .map(|name| format!("a budget names '{name}', which is no case"))
            .chain(missing.map(|case| format!("{} has no budget", case.name)))
            .collect()
    }
}

const HEADER: &str = "\
# Instructions per iteration of each case, x86-64, release profile. CI fails above budget and tolerance.
# `.ci/counts --write` renews [instructions]; the rest is kept as it is. Say in the commit why a budget rose.
";

#[cfg(test)]
mod tests {
    use super::*;

    const COMMITTED: &str = include_str!("../budgets.toml");

    #[test]
    fn the_committed_budgets_name_the_cases_and_no_others() {
        let budgets = Budgets::parse(COMMITTED).unwrap();
        assert_eq!(budgets.gaps(), Vec::<String>::new());
        assert_eq!(budgets.text(), COMMITTED, "writing it again changes nothing");
    }

    fn budgets() -> Budgets {
        Budgets::parse(
            "tolerance_percent = 5\n[instructions]\nids = 100\nroute_1 = 1000\nroute_609 = 1020\nold = 1\n\
             [[ratio]]\nname = \"lookup\"\nof = \"route_609\"\nto = \"route_1\"\nat_most = 1.05\n",
        )
        .unwrap()
    }

    #[test]
    fn counts_beside_budgets() {
        for (counts, broken) in [
            (Counts::from([("ids", 105.0)]), &[][..]),
            (Counts::from([("ids", 50.0)]), &[]),
            (
                Counts::from([("ids", 106.0)]),
                &["ids takes 106.0 instructions, 6.0% above its budget of 100"],
            ),
            (Counts::from([("reply", 1.0)]), &["reply has no budget"]),
            (
                Counts::from([("route_1", 990.0), ("route_609", 1060.0)]),
                &["lookup: route_609 / route_1 is 1.071, more than 1.05"],
            ),
        ] {
            assert_eq!(budgets().judge(&counts).broken, broken, "{counts:?}");
        }
        let far_below = budgets().judge(&Counts::from([("ids", 50.0)]));
        assert!(far_below.table.contains("lower the budget"), "{}", far_below.table);
    }

    #[test]
    fn renewing_keeps_what_was_not_measured() {
        let mut budgets = budgets();
        budgets.renew(&Counts::from([("ids", 70.6)]));
        assert_eq!(budgets.instructions["ids"], 71);
        assert_eq!(budgets.instructions["route_1"], 1000);
        assert!(!budgets.instructions.contains_key("old"));
        assert_eq!(budgets.ratio.len(), 1);
    }
}
