//! Regular expressions that are matched in bounded time.
//!
//! Most are matched in linear time. What Java and ECMA 262 have beyond that, look-around and back-references, is matched by
//! backtracking, which gives up after so many steps.

mod java;

use std::collections::HashSet;
use std::ops::Range;
use std::time::Instant;

use ::regex::RegexBuilder;
use fancy_regex::Expr;

/// A regular expression that was compiled.
#[derive(Clone, Debug)]
pub struct Regex(Matcher);

#[derive(Clone, Debug)]
enum Matcher {
    Linear(::regex::Regex),
    Backtracking(Box<Backtracking>),
}

#[derive(Clone, Debug)]
struct Backtracking {
    regex: fancy_regex::Regex,
    /// How often it may go back.
    backtracks: usize,
    /// How often it looks elsewhere in the text before it goes on by a character, or goes back.
    looks: usize,
}

/// Why it is not known whether a text matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GaveUp {
    /// It might take more steps than are left.
    OutOfSteps,
    /// It goes back more often than any match may.
    TooLong,
}

impl Regex {
    /// Compiles an expression as the `regex` crate writes them. The error is for people.
    pub fn new(pattern: &str) -> Result<Self, String> {
        Self::compile(pattern, false, AT_ONE_PLACE)
    }

    /// Compiles an expression of Java's that is searched for.
    pub fn java(pattern: &str) -> Result<Self, String> {
        let (pattern, possessive) = java::translate(pattern);
        Self::compile(&pattern, possessive, ANYWHERE)
    }

    /// Compiles an expression of Java's that has to match the whole text.
    pub fn java_whole(pattern: &str, ignore_case: bool) -> Result<Self, String> {
        let (pattern, possessive) = java::translate(pattern);
        // By itself first: an expression must not close the group around it.
        Self::compile(&pattern, possessive, AT_ONE_PLACE)?;
        let flags = if ignore_case { "i" } else { "" };
        Self::compile(&format!(r"\A(?{flags}:{pattern})\z"), possessive, AT_ONE_PLACE)
    }

    fn compile(pattern: &str, possessive: bool, backtracks: usize) -> Result<Self, String> {
        let backtracking = || {
            let made = Backtracking::compile(pattern, backtracks)?;
            Ok(Self(Matcher::Backtracking(Box::new(made))))
        };
        if possessive {
            return backtracking();
        }
        match RegexBuilder::new(pattern).size_limit(MAX_BYTES).build() {
            Ok(linear) => Ok(Self(Matcher::Linear(linear))),
            Err(::regex::Error::CompiledTooBig(_)) => Err("it is too large".to_owned()),
            Err(error) => backtracking().map_err(|known: String| {
                // The last line says what is wrong; those before draw where.
                let error = error.to_string();
                let last = error.lines().last().unwrap_or_default();
                // What only backtracking knows, it also knows the faults of.
                let foreign = last.ends_with("not supported") || known == UNBOUNDED;
                if foreign { known } else { last.trim_start_matches("error: ").to_owned() }
            }),
        }
    }

    /// Whether it matches somewhere in the text. Takes the time of backtracking from the steps that are left.
    pub fn is_match(&self, text: &str, left: &mut usize) -> Result<bool, GaveUp> {
        match &self.0 {
            Matcher::Linear(regex) => Ok(regex.is_match(text)),
            Matcher::Backtracking(made) => {
                made.timed(text.len(), left, |regex| regex.is_match(text))
            }
        }
    }

    /// The next match in the text from a place on. Takes the time of backtracking from the steps that are left.
    pub fn find(
        &self,
        text: &str,
        from: usize,
        left: &mut usize,
    ) -> Result<Option<Range<usize>>, GaveUp> {
        Ok(match &self.0 {
            Matcher::Linear(regex) => regex.find_at(text, from).map(|found| found.range()),
            Matcher::Backtracking(made) => {
                let bytes = text.len().saturating_sub(from);
                let found = made.timed(bytes, left, |regex| regex.find_from_pos(text, from))?;
                found.map(|found| found.range())
            }
        })
    }

    /// The same, with its groups.
    pub fn captures<'t>(
        &self,
        text: &'t str,
        from: usize,
        left: &mut usize,
    ) -> Result<Option<Captures<'t>>, GaveUp> {
        Ok(match &self.0 {
            Matcher::Linear(regex) => {
                regex.captures_at(text, from).map(|found| Captures(Found::Linear(found)))
            }
            Matcher::Backtracking(made) => {
                let bytes = text.len().saturating_sub(from);
                let found = made.timed(bytes, left, |regex| regex.captures_from_pos(text, from))?;
                found.map(|found| Captures(Found::Backtracking(found)))
            }
        })
    }

    /// How many groups a match has; group 0 is the whole of it.
    pub fn groups(&self) -> usize {
        match &self.0 {
            Matcher::Linear(regex) => regex.captures_len(),
            Matcher::Backtracking(made) => made.regex.captures_len(),
        }
    }

    /// The number of a group that has a name.
    pub fn group(&self, name: &str) -> Option<usize> {
        match &self.0 {
            Matcher::Linear(regex) => regex.capture_names().position(|held| held == Some(name)),
            Matcher::Backtracking(made) => {
                made.regex.capture_names().position(|held| held == Some(name))
            }
        }
    }
}

impl Backtracking {
    fn compile(pattern: &str, backtracks: usize) -> Result<Self, String> {
        if pattern.len() > MAX_LONG {
            return Err("it is too long".to_owned());
        }
        let tree = Expr::parse_tree(pattern).map_err(|error| error.to_string())?;
        let looks = looks(&tree.expr).ok_or(UNBOUNDED)?;
        let made = fancy_regex::RegexBuilder::new(pattern)
            .delegate_size_limit(MAX_BYTES)
            .max_prog_size(MAX_PROGRAM)
            .backtrack_limit(backtracks)
            .build();
        let regex = made.map_err(|error| error.to_string())?;
        // Neither Java nor ECMA 262 takes a name twice.
        let mut names = HashSet::new();
        let once = regex.capture_names().flatten().all(|name| names.insert(name));
        if !once {
            return Err("duplicate capture group name".to_owned());
        }
        Ok(Self { regex, backtracks, looks: looks.max(1) })
    }

    /// Searches so many bytes if there are steps for the worst that it can come to, and takes the time it took. It is by the clock:
    /// how far each look goes is counted nowhere.
    fn timed<T>(
        &self,
        bytes: usize,
        left: &mut usize,
        search: impl FnOnce(&fancy_regex::Regex) -> fancy_regex::Result<T>,
    ) -> Result<T, GaveUp> {
        // Each character that it goes on by it may also go back by, so that there are no more than these. Each of the looks may go
        // through the whole text.
        let moves = self.backtracks.saturating_add(bytes);
        let looked = moves.saturating_mul(bytes).saturating_mul(self.looks);
        if *left / STEPS_A_MICROSECOND < looked / BYTES_A_MICROSECOND {
            return Err(GaveUp::OutOfSteps);
        }
        let begun = Instant::now();
        let found = search(&self.regex);
        let took = usize::try_from(begun.elapsed().as_micros()).unwrap_or(usize::MAX);
        *left = left.saturating_sub(took.saturating_mul(STEPS_A_MICROSECOND));
        found.map_err(|_| GaveUp::TooLong)
    }
}

/// How often an expression looks elsewhere in the text at one place of it. `None` where nothing bounds what that costs: a look within
/// which it looks again, and what neither Java nor ECMA 262 has.
fn looks(expression: &Expr) -> Option<usize> {
    let within = || {
        expression
            .children_iter()
            .try_fold(0_usize, |sum, one| Some(sum.saturating_add(looks(one)?)))
    };
    match expression {
        // What is in it is matched in linear time.
        Expr::LookAround(..) | Expr::AtomicGroup(_) => (within()? == 0).then_some(1),
        Expr::Backref { .. } => Some(1),
        Expr::Repeat { lo, hi, .. } => {
            let times = if *hi == usize::MAX { *lo } else { *hi };
            Some(within()?.saturating_mul(times.max(1)))
        }
        Expr::Concat(_) | Expr::Alt(_) | Expr::Group(_) => within(),
        Expr::Empty
        | Expr::Any { .. }
        | Expr::Assertion(_)
        | Expr::Literal { .. }
        | Expr::Delegate { .. } => Some(0),
        _ => None,
    }
}

/// A match with its groups.
pub struct Captures<'t>(Found<'t>);

enum Found<'t> {
    Linear(::regex::Captures<'t>),
    Backtracking(fancy_regex::Captures<'t, str>),
}

impl Captures<'_> {
    /// Where the whole match is.
    pub fn place(&self) -> Range<usize> {
        match &self.0 {
            Found::Linear(captures) => captures.get(0).map(|found| found.range()),
            Found::Backtracking(captures) => captures.get(0).map(|found| found.range()),
        }
        .unwrap_or_default()
    }

    /// What a group matched; nothing if it took no part.
    pub fn text(&self, group: usize) -> &str {
        match &self.0 {
            Found::Linear(captures) => captures.get(group).map(|found| found.as_str()),
            Found::Backtracking(captures) => captures.get(group).map(|found| found.as_str()),
        }
        .unwrap_or_default()
    }
}

/// What has no bound: see [`looks`].
const UNBOUNDED: &str = "it looks around while it looks around, which takes too long here";

/// Bytes of a compiled expression.
const MAX_BYTES: usize = 1 << 20;

/// Bytes of an expression with backtracking: compiling one takes more than linear time.
const MAX_LONG: usize = 4_096;

/// Instructions of the program that an expression with backtracking becomes.
const MAX_PROGRAM: usize = 100_000;

/// How often an expression may go back that mostly matches at one place, if at all.
const AT_ONE_PLACE: usize = 1_000;

/// How often one may go back that is searched for: once for each place where it is not.
const ANYWHERE: usize = 8_000;

/// How far it looks in a microsecond: measured, from 620 to 1,300 bytes.
const BYTES_A_MICROSECOND: usize = 500;

/// Steps of a template, or of a check by a schema, that take a microsecond, about.
const STEPS_A_MICROSECOND: usize = 20;

/// Steps for the matches of one kind that a request has: a text of up to 2 KB is looked through for one look-around.
pub const ONCE: usize = 16_384 * STEPS_A_MICROSECOND;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching_is_bounded() {
        let long = format!("{}b", "a".repeat(50_000));
        let linear = Regex::java_whole("(a+)+", false).unwrap();
        assert_eq!(linear.is_match(&long, &mut 0), Ok(false));
        let bomb = Regex::java_whole(r"(?=a)(a*)(a*)(a*)\1", false).unwrap();
        let mut left = ONCE;
        assert_eq!(bomb.is_match(&long, &mut left), Err(GaveUp::OutOfSteps));
        assert_eq!(left, ONCE);
        assert_eq!(bomb.is_match(&long[49_000..], &mut left), Err(GaveUp::TooLong));
        assert!(left < ONCE);
        assert_eq!(bomb.is_match("aa", &mut 79), Err(GaveUp::OutOfSteps));
        assert_eq!(bomb.is_match("aa", &mut ONCE.clone()), Ok(true));
        // Each look counts, also those that are repeated; none stands in another.
        for looks in
            ["(?=.*x)", "(?=.*x)(?=.*x)", "(?:(?=.*x)a?){3}", "(?:(?<=a.*).){0,4}", r"(a)\1"]
        {
            let one = Regex::java(looks).unwrap();
            let text = "a".repeat(1_000);
            let Matcher::Backtracking(made) = &one.0 else { panic!("{looks}") };
            let need = (ANYWHERE + 1_000) * 1_000 * made.looks / BYTES_A_MICROSECOND;
            let mut left = need * STEPS_A_MICROSECOND - 1;
            assert_eq!(one.is_match(&text, &mut left), Err(GaveUp::OutOfSteps), "{looks}");
        }
        for (nested, why) in [
            ("(?=(?!a)b)", "looks around"),
            ("(?>(?:(?=.*x).)*)z", "looks around"),
            (r"(a)(?=\1)", "looks around"),
            (r"a\Kb(?=c)", "looks around"),
            (r"(?<r>a(?=b)\g<r>)", "looks around"),
            ("(a)?(?(1)b|c)", "looks around"),
        ] {
            let told = Regex::new(nested).unwrap_err();
            assert!(told.contains(why), "{nested}: {told}");
        }
        assert!(Regex::new(&"(".repeat(100_000)).is_err());
        assert!(Regex::new(&"(?=".repeat(100_000)).is_err());
        for more in ["a*", "(a|b)", "(?=a)", r"(a)\1"] {
            let _ = Regex::new(&format!("(?=a){}", more.repeat(4_000 / more.len())));
            assert!(Regex::new(&format!("(?=a){}", more.repeat(1_000_000))).is_err());
        }
        assert_eq!(Regex::new("(((a{200}){200}){200})").unwrap_err(), "it is too large");
    }

    #[test]
    fn groups_have_numbers_and_names() {
        for pattern in ["(?<x>a)(b)?", "(?=a)(?<x>a)(b)?"] {
            let regex = Regex::java(pattern).unwrap();
            assert_eq!((regex.groups(), regex.group("x"), regex.group("y")), (3, Some(1), None));
            for (from, want) in
                [(0, Some((0..1, "a", ""))), (1, Some((1..3, "ab", "b"))), (2, None)]
            {
                let left = &mut ONCE.clone();
                let found = regex.captures("aab", from, left).unwrap();
                assert_eq!(found.as_ref().map(|f| (f.place(), f.text(0), f.text(2))), want);
                let place = regex.find("aab", from, left).unwrap();
                assert_eq!(place, want.map(|(place, ..)| place));
            }
        }
    }
}
