//! Text that comes from anybody: names and tags of AWS's, and what has to happen to them before they are drawn.

/// Stands for what can't be shown.
const UNSHOWN: char = '\u{fffd}';

/// Without characters that do something instead of being seen: controls, line breaks, and those that turn the direction
/// of what follows, so that a name can't pass for another.
pub fn shown(text: &str) -> String {
    text.chars().map(|c| if is_shown(c) { c } else { UNSHOWN }).collect()
}

fn is_shown(c: char) -> bool {
    let turns_direction =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_invisible = matches!(c, '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{feff}');
    // No character is U+xxFFFE or U+xxFFFF, and XML 1.0 forbids the first two of them.
    let is_no_character = u32::from(c) & 0xfffe == 0xfffe;
    !(c.is_control() || turns_direction || is_invisible || is_no_character)
}

/// For XML's text and attributes alike.
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// For a quoted string of DOT, whose labels know entities and backslashes.
pub fn dot(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}

/// For a quoted text of Mermaid: whatever could mean something there, or in the HTML that becomes of it, is a number.
pub fn mermaid(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in shown(text).chars() {
        let is_plain =
            c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | ',' | ':' | '/' | '(' | ')' | '+');
        match is_plain {
            true => out.push(c),
            false => out.push_str(&format!("#{};", u32::from(c))),
        }
    }
    out
}

/// Cut to so many columns, and marked as cut.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut taken = 1;
    for c in text.chars() {
        taken += columns_of(c);
        if taken > columns {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// In columns of a font of one width.
pub fn width(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Ideographs and the like take two.
fn columns_of(c: char) -> usize {
    let is_wide = matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd);
    if is_wide { 2 } else { 1 }
}
