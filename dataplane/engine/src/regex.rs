//! Regular expressions that are matched in bounded time.
//!
//! Most are matched in linear time. What Java and ECMA 262 have beyond that, look-around and back-references, is matched by
//! backtracking, which gives up after so many steps.

mod java;

use std::collections::HashSet;
use std::ops::Range;
use std::time::Instant;

use ::regex::RegexBuilder;

/// A regular expression that was compiled.
#[derive(Clone, Debug)]
pub struct Regex(Matcher);

#[derive(Clone, Debug)]
enum Matcher {
    Linear(::regex::Regex),
    Backtracking(Box<fancy_regex::Regex>),
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
        match RegexBuilder::new(pattern).size_limit(MAX_BYTES).build() {
            Ok(linear) => Ok(Self(Matcher::Linear(linear))),
            Err(::regex::Error::CompiledTooBig(_)) => Err("it is too large".to_owned()),
            Err(error) => {
                // The last line says what is wrong; those before draw where.
                let error = error.to_string();
                let last = error.lines().last().unwrap_or_default();
                let last = last.trim_start_matches("error: ");
                // What only backtracking knows, it also knows the faults of.
                let foreign = last.ends_with("not supported");
                Self::backtracking(pattern)
                    .map_err(|known| if foreign { known } else { last.to_owned() })
            }
        }
    }

    fn backtracking(pattern: &str) -> Result<Self, String> {
        if pattern.len() > MAX_LONG {
            return Err("it is too long".to_owned());
        }
        let made = fancy_regex::RegexBuilder::new(pattern)
            .delegate_size_limit(MAX_BYTES)
            .max_prog_size(MAX_PROGRAM)
            .backtrack_limit(MAX_BACKTRACKS)
            .build();
        let made = made.map_err(|error| error.to_string())?;
        // Neither Java nor ECMA 262 takes a name twice.
        let mut names = HashSet::new();
        let once = made.capture_names().flatten().all(|name| names.insert(name));
        if !once {
            return Err("duplicate capture group name".to_owned());
        }
        Ok(Self(Matcher::Backtracking(Box::new(made))))
    }

    /// Compiles an expression of Java's.
    pub fn java(pattern: &str) -> Result<Self, String> {
        let (pattern, possessive) = java::translate(pattern);
        if possessive { Self::backtracking(&pattern) } else { Self::new(&pattern) }
    }

    /// Compiles an expression of Java's that has to match the whole text.
    pub fn java_whole(pattern: &str, ignore_case: bool) -> Result<Self, String> {
        // By itself first: an expression must not close the group around it.
        Self::java(pattern)?;
        let flags = if ignore_case { "i" } else { "" };
        let (pattern, possessive) = java::translate(pattern);
        let whole = format!(r"\A(?{flags}:{pattern})\z");
        if possessive { Self::backtracking(&whole) } else { Self::new(&whole) }
    }

    /// Whether it matches somewhere in the text. Takes the time of backtracking from the steps that are left.
    pub fn is_match(&self, text: &str, left: &mut usize) -> Result<bool, GaveUp> {
        match &self.0 {
            Matcher::Linear(regex) => Ok(regex.is_match(text)),
            Matcher::Backtracking(regex) => timed(text.len(), left, || regex.is_match(text)),
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
            Matcher::Backtracking(regex) => {
                let search = || regex.find_from_pos(text, from);
                let found = timed(text.len().saturating_sub(from), left, search)?;
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
            Matcher::Backtracking(regex) => {
                let search = || regex.captures_from_pos(text, from);
                let found = timed(text.len().saturating_sub(from), left, search)?;
                found.map(|found| Captures(Found::Backtracking(found)))
            }
        })
    }

    /// How many groups a match has; group 0 is the whole of it.
    pub fn groups(&self) -> usize {
        match &self.0 {
            Matcher::Linear(regex) => regex.captures_len(),
            Matcher::Backtracking(regex) => regex.captures_len(),
        }
    }

    /// The number of a group that has a name.
    pub fn group(&self, name: &str) -> Option<usize> {
        match &self.0 {
            Matcher::Linear(regex) => regex.capture_names().position(|held| held == Some(name)),
            Matcher::Backtracking(regex) => {
                regex.capture_names().position(|held| held == Some(name))
            }
        }
    }
}

/// Searches so many bytes if there are steps for the worst that it can come to, and takes the time it took. It is by the clock: what
/// it costs to go back hangs on how far each attempt looks ahead, which nobody counts.
fn timed<T>(
    bytes: usize,
    left: &mut usize,
    search: impl FnOnce() -> fancy_regex::Result<T>,
) -> Result<T, GaveUp> {
    if *left / STEPS_A_MICROSECOND < bytes.saturating_mul(MICROSECONDS_A_BYTE) {
        return Err(GaveUp::OutOfSteps);
    }
    let begun = Instant::now();
    let found = search();
    let took = usize::try_from(begun.elapsed().as_micros()).unwrap_or(usize::MAX);
    *left = left.saturating_sub(took.saturating_mul(STEPS_A_MICROSECOND));
    found.map_err(|_| GaveUp::TooLong)
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

/// Bytes of a compiled expression.
const MAX_BYTES: usize = 1 << 20;

/// Bytes of an expression with backtracking: compiling one takes more than linear time.
const MAX_LONG: usize = 4_096;

/// Instructions of the program that an expression with backtracking becomes.
const MAX_PROGRAM: usize = 100_000;

/// How often a search may go back.
const MAX_BACKTRACKS: usize = 4_000;

/// What a search can come to, if each time that it goes back it looks ahead to the end of the text, two bytes a nanosecond.
const MICROSECONDS_A_BYTE: usize = MAX_BACKTRACKS / 2_000;

/// Steps of a template, or of a check by a schema, that take a microsecond, about.
const STEPS_A_MICROSECOND: usize = 20;

/// Steps for a match of which there is one in a request: for texts of up to 8 KB.
pub const ONCE: usize = 16_384 * STEPS_A_MICROSECOND;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching_is_bounded() {
        let long = format!("{}b", "a".repeat(50_000));
        let linear = Regex::java_whole("(a+)+", false).unwrap();
        assert_eq!(linear.is_match(&long, &mut 0), Ok(false));
        let bomb = Regex::java_whole(r"(?=a)(a+)+\1", false).unwrap();
        let mut left = ONCE;
        assert_eq!(bomb.is_match(&long, &mut left), Err(GaveUp::OutOfSteps));
        assert_eq!(left, ONCE);
        assert_eq!(bomb.is_match(&long[45_000..], &mut left), Err(GaveUp::TooLong));
        assert!(left < ONCE);
        assert_eq!(bomb.is_match("aa", &mut 79), Err(GaveUp::OutOfSteps));
        assert_eq!(bomb.is_match("aa", &mut ONCE.clone()), Ok(true));
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
