//! Tables for people.

use super::plain::plain_line;

/// Rows in columns that are as wide as they must be, two blanks apart; the last column ends where it ends.
pub fn columns(rows: &[Vec<String>]) -> String {
    let width = |cell: &str| cell.chars().count();
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            match widths.get_mut(at) {
                Some(widest) => *widest = (*widest).max(width(cell)),
                None => widths.push(width(cell)),
            }
        }
    }
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, widest) in row.iter().zip(&widths) {
            let cell = plain_line(cell);
            let blanks = widest.saturating_sub(width(&cell)) + 2;
            line.push_str(&cell);
            line.extend(std::iter::repeat_n(' ', blanks));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let rows =
            [["NAME", "STATE"], ["ä", "on"], ["default", ""]].map(|row| row.map(String::from).to_vec());
        assert_eq!(columns(&rows), "NAME     STATE\nä        on\ndefault\n");
    }
}
