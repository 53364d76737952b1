//! Pages of lists, with positions callers cannot read anything into.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::AppError;

/// Which part of a list a caller wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paging {
    /// As an earlier page gave it.
    pub position: Option<String>,
    /// Items; absent or 0 is 25, more than 500 is 500, negative is none.
    pub limit: Option<i64>,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// In the list's order.
    pub items: Vec<T>,
    /// Where the next page starts; absent on the last page, or SDK paginators loop.
    pub position: Option<String>,
}

impl Paging {
    /// How many items to show. Source: the API reference gives 25 and 500.
    pub(super) fn size(&self) -> usize {
        match self.limit {
            None | Some(0) => DEFAULT,
            Some(limit) => usize::try_from(limit).map_or(0, |limit| limit.min(MAX)),
        }
    }

    /// The key of the last item shown before.
    pub(super) fn after(&self) -> Result<Option<String>, AppError> {
        let Some(position) = self.position.as_deref().filter(|position| !position.is_empty())
        else {
            return Ok(None);
        };
        let bytes = URL_SAFE_NO_PAD.decode(position).map_err(|_| AppError::InvalidPosition)?;
        String::from_utf8(bytes).map(Some).map_err(|_| AppError::InvalidPosition)
    }

    /// The page of `items`, which are in the order of their keys.
    pub(super) fn page<T>(
        &self,
        items: impl IntoIterator<Item = (String, T)>,
    ) -> Result<Page<T>, AppError> {
        let after = self.after()?;
        let rest = items
            .into_iter()
            .skip_while(|(key, _)| after.as_ref().is_some_and(|after| key <= after));
        Ok(self.cut(rest))
    }

    /// The page that starts at the first of `items`; give one more than fits to learn of a next page.
    pub(super) fn cut<T>(&self, items: impl IntoIterator<Item = (String, T)>) -> Page<T> {
        let size = self.size();
        let mut items = items.into_iter();
        let mut last = None;
        let mut shown = Vec::new();
        for (key, item) in items.by_ref().take(size) {
            last = Some(key);
            shown.push(item);
        }
        let position =
            last.filter(|_| items.next().is_some()).map(|key| URL_SAFE_NO_PAD.encode(key));
        Page { items: shown, position }
    }
}

const DEFAULT: usize = 25;
const MAX: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_a_list_once() {
        for (count, limit) in [(0, 3), (3, 3), (4, 3), (7, 3), (30, 0)] {
            let list: Vec<_> = (0..count).map(|n| (format!("{n:03}"), n)).collect();
            let mut paging = Paging { position: None, limit: Some(limit) };
            let mut seen = Vec::new();
            loop {
                let page = paging.page(list.clone()).unwrap();
                assert!(page.items.len() <= if limit == 0 { 25 } else { limit as usize });
                seen.extend(page.items);
                paging.position = page.position;
                if paging.position.is_none() {
                    break;
                }
            }
            assert_eq!(seen, (0..count).collect::<Vec<_>>());
        }
        let none = Paging { position: None, limit: Some(-1) }.page([(String::new(), 1)]).unwrap();
        assert_eq!((none.items.len(), none.position), (0, None));
        assert!(
            Paging { position: Some("%".into()), limit: None }.page([(String::new(), 1)]).is_err()
        );
    }
}
