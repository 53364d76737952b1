//! Aligned plain tables.

/// Rows under a head.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub(super) fn new(heads: &[&str]) -> Self {
        Self { rows: vec![heads.iter().map(|head| (*head).to_owned()).collect()] }
    }

    /// Adds a row.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| plain(&cell)).into());
    }

    /// The table, or `nothing` when there are no rows.
    pub(super) fn or(&self, nothing: &str) -> String {
        if self.rows.len() == 1 { nothing.to_owned() } else { self.text() }
    }

    fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |at: usize| {
            self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max()
        };
        let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
        let lines = self.rows.iter().map(|row| {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', width + GAP - cell.chars().count()));
            }
            line.truncate(line.trim_end().len());
            line
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

fn plain(cell: &str) -> String {
    let shown = harmless(cell);
    let shown = shown.trim();
    if shown.is_empty() { "-".to_owned() } else { shown.to_owned() }
}

/// One line without control characters: names and descriptions are anyone's, the terminal is ours.
pub(super) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Spaces between columns.
const GAP: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&["ID", "NAME"]);
        assert_eq!(table.or("none"), "none");
        table.row(["a".to_owned(), "äpi".to_owned()]);
        table.row(["long-id".to_owned(), String::new()]);
        table.row(["b".to_owned(), "two\nlines\u{1b}[31m".to_owned()]);
        assert_eq!(
            table.or("none"),
            "ID       NAME\na        äpi\nlong-id  -\nb        two lines [31m"
        );
    }
}
