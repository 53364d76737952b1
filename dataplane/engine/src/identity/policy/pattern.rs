//! Texts with wild cards and policy variables.
//!
//! `*` is any number of characters and `?` is one; `${aws:username}` is the value of a key, `${key, 'default'}` has a
//! fallback, and `${*}`, `${?}` and `${$}` are those characters. What a variable brings in is never a wild card. Source: IAM
//! User Guide, "IAM policy elements: Variables and tags".

use super::Context;

/// A text to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern(Vec<Token>);

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Char(char),
    /// `?`
    One,
    /// `*`
    Any,
    Variable {
        /// In small letters.
        key: String,
        default: Option<String>,
    },
}

/// What of a text is more than the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Syntax {
    pub(super) wildcards: bool,
    pub(super) variables: bool,
}

impl Pattern {
    /// Reads a pattern, or says what is wrong with it.
    pub(super) fn parse(text: &str, syntax: Syntax) -> Result<Self, String> {
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some(char) = rest.chars().next() {
            if syntax.variables && rest.starts_with("${") {
                let end = rest.find('}').ok_or_else(|| {
                    format!("{text:?} has a policy variable that does not end with '}}'")
                })?;
                tokens.push(variable(&rest[2..end]).ok_or_else(|| {
                    format!(
                        "{text:?} has a policy variable that cannot be read: {:?}",
                        &rest[..=end]
                    )
                })?);
                rest = &rest[end + 1..];
                continue;
            }
            tokens.push(match char {
                '*' if syntax.wildcards => Token::Any,
                '?' if syntax.wildcards => Token::One,
                other => Token::Char(other),
            });
            rest = &rest[char.len_utf8()..];
        }
        Ok(Self(tokens))
    }

    /// Whether `text` is one this pattern stands for. A pattern with a variable that has no value fits nothing.
    pub(super) fn fits(&self, text: &str, fold: bool, context: &Context) -> bool {
        let Some(tokens) = self.resolved(fold, context) else { return false };
        if fold { fits(&tokens, &text.to_lowercase()) } else { fits(&tokens, text) }
    }

    /// As [`Pattern::fits`], for ARNs: each of the six parts on its own, so that no wild card reaches over a colon. The last
    /// part may hold colons itself: a caller chooses them, in a path, and they must not be taken for the ARN's own. A pattern with
    /// fewer parts stands for all that begin so, if it ends in its only `*` there; a lone `*` fits everything.
    pub(super) fn fits_arn(&self, text: &str, context: &Context) -> bool {
        let Some(tokens) = self.resolved(false, context) else { return false };
        if tokens == [Token::Any] {
            return true;
        }
        let parts = 1 + tokens.iter().filter(|token| **token == Token::Char(':')).count();
        let parts = parts.min(ARN_PARTS);
        if parts < ARN_PARTS {
            let last = tokens.rsplit(|token| *token == Token::Char(':')).next().unwrap_or_default();
            let stars = last.iter().filter(|token| **token == Token::Any).count();
            if stars != 1 || last.last() != Some(&Token::Any) {
                return false;
            }
        }
        let mut wanted = tokens.splitn(parts, |token| *token == Token::Char(':'));
        let mut found = text.splitn(parts, ':');
        loop {
            match (wanted.next(), found.next()) {
                (Some(wanted), Some(found)) if fits(wanted, found) => {}
                (None, None) => return true,
                _ => return false,
            }
        }
    }

    /// Whether it could stand for an ARN.
    pub(super) fn is_arn(&self) -> bool {
        let colons = self.0.iter().filter(|token| **token == Token::Char(':')).count();
        self.0 == [Token::Any] || colons >= ARN_PARTS - 1
    }

    /// Whether it has a variable whose key starts with `prefix`.
    pub(super) fn asks_for(&self, prefix: &str) -> bool {
        self.0
            .iter()
            .any(|token| matches!(token, Token::Variable { key, .. } if key.starts_with(prefix)))
    }

    /// The tokens with variables replaced; `None` when one has no value, or several.
    fn resolved(&self, fold: bool, context: &Context) -> Option<Vec<Token>> {
        let mut tokens = Vec::with_capacity(self.0.len());
        for token in &self.0 {
            match token {
                Token::Char(char) if fold => tokens.extend(char.to_lowercase().map(Token::Char)),
                Token::Variable { key, default } => {
                    let value = match (context.values(key), default) {
                        ([value], _) => value,
                        ([], Some(default)) => default,
                        _ => return None,
                    };
                    let folded = if fold { value.to_lowercase() } else { value.clone() };
                    tokens.extend(folded.chars().map(Token::Char));
                }
                plain => tokens.push(plain.clone()),
            }
        }
        Some(tokens)
    }
}

/// What stands between `${` and `}`.
fn variable(inner: &str) -> Option<Token> {
    match inner {
        "*" | "?" | "$" => return inner.chars().next().map(Token::Char),
        _ => {}
    }
    let (key, default) = match inner.split_once(',') {
        Some((key, default)) => {
            let text = default.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            (key, Some(text.to_owned()))
        }
        None => (inner, None),
    };
    let key = key.trim().to_ascii_lowercase();
    let readable = |b: u8| b.is_ascii_graphic() && !matches!(b, b'{' | b'$' | b'*' | b'?' | b'\'');
    let valid = key.contains(':') && key.bytes().all(readable);
    valid.then_some(Token::Variable { key, default })
}

/// Whether tokens without variables stand for `text`.
///
/// The pieces between stars are looked for from left to right, each as early as it occurs, so nothing is tried twice: linear
/// for pieces of characters alone, and at worst a piece's length times the text's for one with `?`.
fn fits(tokens: &[Token], text: &str) -> bool {
    let mut pieces = tokens.split(|token| *token == Token::Any);
    // A split gives at least one piece.
    let Some(rest) = pieces.next().and_then(|first| after(first, text)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    let Some(rest) = pieces.try_fold(rest, |rest, piece| after_first(piece, rest)) else {
        return false;
    };
    let begin = match last.len().checked_sub(1) {
        None => Some(rest.len()),
        Some(from_end) => rest.char_indices().rev().nth(from_end).map(|(at, _)| at),
    };
    begin.is_some_and(|begin| after(last, &rest[begin..]).is_some())
}

/// What follows the piece at the start of `text`; `None` when it does not stand there.
fn after<'t>(piece: &[Token], text: &'t str) -> Option<&'t str> {
    let mut rest = text.chars();
    for token in piece {
        let char = rest.next()?;
        if *token != Token::One && *token != Token::Char(char) {
            return None;
        }
    }
    Some(rest.as_str())
}

/// What follows the piece where it first occurs in `text`.
fn after_first<'t>(piece: &[Token], text: &'t str) -> Option<&'t str> {
    let literal: Option<String> = piece
        .iter()
        .map(|token| if let Token::Char(char) = token { Some(*char) } else { None })
        .collect();
    match literal {
        Some(literal) => text.find(&literal).map(|at| &text[at + literal.len()..]),
        None => text.char_indices().find_map(|(at, _)| after(piece, &text[at..])),
    }
}

/// `arn:partition:service:region:account:resource`.
const ARN_PARTS: usize = 6;
