//! Colours: only where somebody looks, and only if they want them.

use std::io::IsTerminal;

/// How text is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    is_coloured: bool,
}

impl Style {
    pub const PLAIN: Self = Self { is_coloured: false };

    /// For standard output: colours on a terminal that has any, unless `NO_COLOR` is set to anything
    /// (<https://no-color.org>).
    pub fn of_stdout() -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { is_coloured: !no_color && !is_dumb && std::io::stdout().is_terminal() }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.is_coloured { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub fn changed(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub fn quiet(self, text: &str) -> String {
        self.paint("2", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_put_around_a_text_or_not_at_all() {
        assert_eq!(Style::PLAIN.bad("x"), "x");
        assert_eq!(Style { is_coloured: true }.bad("x"), "\x1b[31mx\x1b[0m");
    }
}
