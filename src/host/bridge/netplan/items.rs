//! Lists of a file of netplan's.

use super::edit::{Doc, Place};
use super::piece::Piece;
use super::yaml::{Unread, Value, What};

impl Doc {
    /// Takes an item out of a list; the entry with it, if it was the only one.
    pub(super) fn remove_item(&mut self, path: &[&str], at: usize) -> Result<(), Unread> {
        let Some(What::Seq(items)) = self.at(path).map(|node| &node.what) else { return Ok(()) };
        let (Some(item), Some(list)) = (items.get(at), self.at(path)) else { return Ok(()) };
        if items.len() == 1 {
            return self.remove(path);
        }
        let mut text = self.text.clone();
        if list.is_flow(&self.text) {
            let range = match (at.checked_sub(1).and_then(|at| items.get(at)), items.get(at + 1)) {
                (Some(before), _) => before.end..item.end,
                (None, Some(next)) => item.start..next.start,
                (None, None) => item.start..item.end,
            };
            text.replace_range(range, "");
        } else {
            let next = items.get(at + 1).map(|next| self.line_start(next.start));
            text.replace_range(self.line_start(item.start)..next.unwrap_or(self.line_end(item.end)), "");
        }
        let mut wanted = self.root.value();
        if let Some(Value::Seq(items)) = wanted.at_mut(path) {
            items.remove(at);
        }
        self.turn(text, &wanted)
    }

    /// Puts an item at the end of a list, which is made if it isn't there.
    pub(super) fn push_item(&mut self, path: &[&str], value: &Value) -> Result<(), Unread> {
        let list = self.at(path).filter(|node| matches!(&node.what, What::Seq(items) if !items.is_empty()));
        let Some((list, What::Seq(items))) = list.map(|list| (list, &list.what)) else {
            let Some((last, parent)) = path.split_last() else { return Ok(()) };
            self.remove(path)?;
            let all = Value::Seq(vec![value.clone()]);
            let piece = if self.is_block(parent) && !value.entries().is_empty() {
                let item = item_lines(value, &" ".repeat(self.step()), self.eol());
                Piece::of_lines(last, all, format!("{last}:{}{item}", self.eol()))
            } else {
                Piece::new(last, all)
            };
            return self.insert(parent, &piece, Place::End);
        };
        let Some(end) = items.last() else { return Ok(()) };
        let mut text = self.text.clone();
        if list.is_flow(&self.text) {
            text.insert_str(end.end, &format!(", {}", value.inline()));
        } else {
            let line = self.line_start(end.start);
            let dash = &self.text[line..end.start];
            let space = &dash[..dash.len() - dash.trim_start().len()];
            let mut new = item_lines(value, space, self.eol());
            let at = self.line_end(end.end);
            if !self.text[..at].ends_with('\n') {
                new = format!("{}{}", self.eol(), new.trim_end_matches(['\n', '\r']));
            }
            text.insert_str(at, &new);
        }
        let mut wanted = self.root.value();
        if let Some(Value::Seq(items)) = wanted.at_mut(path) {
            items.push(value.clone());
        }
        self.turn(text, &wanted)
    }
}

fn item_lines(value: &Value, space: &str, eol: &str) -> String {
    if value.entries().is_empty() {
        return format!("{space}- {}{eol}", value.inline());
    }
    let lines = value.entries().iter().enumerate().map(|(at, (key, value))| {
        format!("{space}{}{key}: {}{eol}", if at == 0 { "- " } else { "  " }, value.inline())
    });
    lines.collect()
}
