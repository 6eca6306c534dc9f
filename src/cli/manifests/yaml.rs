//! One YAML document as JSON, with the line on which each field stands.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};

/// Deeper nesting is nobody's manifest.
const DEPTH_MAX: usize = 64;
/// Aliases of aliases multiply; this many values are far more than the largest object that an API server takes.
const NODES_MAX: usize = 200_000;

/// A document, and where its fields stand.
#[derive(Clone, Debug, Default)]
pub struct Document {
    pub value: Value,
    lines: BTreeMap<String, usize>,
}

/// What can't be read, and on which line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub line: usize,
    pub why: String,
}

impl Document {
    /// The line of this field, such as `spec.requester.routes[0].name`, or of what it would be in.
    pub fn line_of(&self, field: &str) -> usize {
        let mut field = field;
        loop {
            if let Some(line) = self.lines.get(field) {
                return *line;
            }
            match field.rfind(['.', '[']) {
                Some(end) => field = &field[..end],
                None => return self.lines.get("").copied().unwrap_or(1),
            }
        }
    }
}

/// The documents of a text, each with the line it begins on. A document that can't be read hides none of the others, so the
/// text is divided before any is parsed: no document can contain a line that begins with its separator.
pub fn divide(text: &str) -> Vec<(usize, String)> {
    let text = text.trim_start_matches('\u{feff}');
    let mut parts: Vec<(usize, String)> = vec![(1, String::new())];
    for (at, line) in text.lines().enumerate() {
        let is_marker = |marker: &str| {
            line.strip_prefix(marker).is_some_and(|rest| rest.trim_start() != rest || rest.is_empty())
        };
        if is_marker("---") {
            parts.push((at + 1, String::new()));
        }
        if is_marker("...") {
            parts.push((at + 2, String::new()));
            continue;
        }
        if let Some((_, part)) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    // What holds comments and directives alone is no document.
    let says_nothing = |line: &str| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line.starts_with('%') || line == "---"
    };
    parts.retain(|(_, part)| !part.lines().all(says_nothing));
    parts
}

/// Parses one document, whose first line is line `first` of its file.
pub fn parse(text: &str, first: usize) -> Result<Document, Unreadable> {
    let mut loader = Loader {
        first,
        parser: Parser::new_from_str(text),
        lines: BTreeMap::new(),
        anchors: BTreeMap::new(),
        nodes: 0,
    };
    match loader.document() {
        Ok(value) => Ok(Document { value, lines: loader.lines }),
        // Some JSON is no YAML, as where tabs indent it.
        Err(unreadable) => match serde_json::from_str(text) {
            Ok(value) => Ok(Document { value, lines: [(String::new(), first)].into() }),
            Err(_) => Err(unreadable),
        },
    }
}

struct Loader<'a> {
    first: usize,
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    lines: BTreeMap<String, usize>,
    anchors: BTreeMap<usize, Value>,
    nodes: usize,
}

impl<'a> Loader<'a> {
    fn line(&self, span: &Span) -> usize {
        self.first + span.start.line().max(1) - 1
    }

    fn next(&mut self) -> Result<(Event<'a>, usize), Unreadable> {
        loop {
            match self.parser.next() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok((event, span))) => {
                    let line = self.line(&span);
                    return Ok((event, line));
                }
                Some(Err(error)) => {
                    let line = self.first + error.marker().line().max(1) - 1;
                    return Err(Unreadable { line, why: format!("is no YAML: {}", error.info()) });
                }
                None => return Ok((Event::StreamEnd, self.first)),
            }
        }
    }

    fn document(&mut self) -> Result<Value, Unreadable> {
        loop {
            let (event, line) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) => {}
                Event::StreamEnd | Event::DocumentEnd => return Ok(Value::Null),
                event => {
                    self.lines.insert(String::new(), line);
                    let value = self.node(event, line, "", 0)?;
                    // What follows the document is read too: it may be what is wrong with it.
                    while !matches!(self.next()?.0, Event::StreamEnd) {}
                    return Ok(value);
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, line: usize, path: &str, depth: usize) -> Result<Value, Unreadable> {
        let refuse = |why: &str| Err(Unreadable { line, why: why.to_owned() });
        self.nodes += 1;
        if depth > DEPTH_MAX || self.nodes > NODES_MAX {
            return refuse("is nested too deeply, or grows too large by its aliases");
        }
        let (anchor, value) = match event {
            Event::Alias(id) => {
                let Some(value) = self.anchors.get(&id).cloned() else {
                    return refuse("has an alias within what it stands for");
                };
                self.nodes += count(&value);
                return Ok(value);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let is_string = tag.is_some_and(|tag| tag.suffix() == "str");
                let plain = style == ScalarStyle::Plain && !is_string;
                (anchor, if plain { scalar(&text) } else { Value::String(text.into_owned()) })
            }
            Event::SequenceStart(_, anchor, _) => (anchor, self.sequence(path, depth)?),
            Event::MappingStart(_, anchor, _) => (anchor, self.mapping(path, depth)?),
            _ => return refuse("is no YAML: a value was expected"),
        };
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn sequence(&mut self, path: &str, depth: usize) -> Result<Value, Unreadable> {
        let mut items = Vec::new();
        loop {
            let (event, line) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Array(items));
            }
            let path = format!("{path}[{}]", items.len());
            self.lines.insert(path.clone(), line);
            items.push(self.node(event, line, &path, depth + 1)?);
        }
    }

    fn mapping(&mut self, path: &str, depth: usize) -> Result<Value, Unreadable> {
        let mut fields = Map::new();
        let mut merged: Vec<Value> = Vec::new();
        loop {
            let (event, line) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let Event::Scalar(key, ..) = event else {
                return Err(Unreadable { line, why: "has a key that is no text".to_owned() });
            };
            let key = key.into_owned();
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let (event, value_line) = self.next()?;
            if key == "<<" {
                merged.push(self.node(event, value_line, &path, depth + 1)?);
                continue;
            }
            self.lines.insert(path.clone(), line);
            let value = self.node(event, value_line, &path, depth + 1)?;
            if fields.insert(key, value).is_some() {
                return Err(Unreadable { line, why: format!("{path} is given twice") });
            }
        }
        for source in merged {
            let sources = if let Value::Array(all) = source { all } else { vec![source] };
            for (key, value) in sources.into_iter().filter_map(object).flatten() {
                fields.entry(key).or_insert(value);
            }
        }
        Ok(Value::Object(fields))
    }
}

fn object(value: Value) -> Option<Map<String, Value>> {
    if let Value::Object(map) = value { Some(map) } else { None }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(fields) => 1 + fields.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// What a text without quotes means, by YAML 1.2's core schema. YAML 1.1's `yes` and `on`, which kubectl takes for truth
/// values, are truth values here too: as text they need quotes for either.
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Value::Bool(false);
        }
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let looks_like_a_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.bytes().all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
    if looks_like_a_number {
        if let Ok(number) = text.trim_start_matches('+').parse::<i64>() {
            return Value::Number(number.into());
        }
        if let Some(number) = text.parse::<f64>().ok().and_then(Number::from_f64) {
            return Value::Number(number);
        }
    }
    Value::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_is_found_on_its_line_and_a_missing_one_where_it_would_be() {
        let text = "# a comment\nspec:\n  a: 1\n  list:\n  - name: x\n    tag: !!str 7\n  - {name: 'yes'}\n";
        let document = parse(text, 10).unwrap();
        assert_eq!(
            document.value,
            json!({"spec": {"a": 1, "list": [{"name": "x", "tag": "7"}, {"name": "yes"}]}})
        );
        let lines: Vec<usize> =
            ["spec", "spec.a", "spec.list[0].tag", "spec.list[1].name", "spec.list[1].missing", "other"]
                .into_iter()
                .map(|field| document.line_of(field))
                .collect();
        assert_eq!(lines, [11, 12, 15, 16, 16, 11]);
    }

    #[test]
    fn documents_are_divided_at_their_markers_alone() {
        let text =
            "%YAML 1.2\n---\n# nothing\n--- # a comment\na: |\n  ---\n  b\n...\n---\nb: '---x'\n---x: 1\n";
        let parts = divide(text);
        let (lines, values): (Vec<usize>, Vec<Value>) = parts
            .iter()
            .map(|(line, part)| (*line, parse(part, *line).map(|d| d.value).unwrap_or_default()))
            .unzip();
        assert_eq!(lines, [4, 9]);
        assert_eq!(values, [json!({"a": "---\nb\n"}), json!({"b": "---x", "---x": 1})]);
    }

    #[test]
    fn aliases_and_merges_are_followed_and_never_without_end() {
        let merged = parse("base: &b {x: 1, y: 2}\nmine: {<<: *b, y: 3}\n", 1).unwrap();
        assert_eq!(merged.value["mine"], json!({"x": 1, "y": 3}));
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..9 {
            let of = format!("*a{}", n - 1);
            bomb.push_str(&format!("a{n}: &a{n} [{}]\n", [of.as_str(); 9].join(", ")));
        }
        assert!(parse(&bomb, 1).unwrap_err().why.contains("aliases"));
        assert!(parse(&"[".repeat(5000), 1).is_err());
    }

    #[test]
    fn what_is_no_yaml_names_its_line() {
        assert_eq!(parse("a: 1\nb: [1\nc: 2\n", 5).unwrap_err().line, 7);
        assert_eq!(
            parse("a: 1\na: 2\n", 1).unwrap_err(),
            Unreadable { line: 2, why: "a is given twice".to_owned() }
        );
        assert_eq!(parse("{\n\t\"a\": 1\n}", 1).unwrap().value, json!({"a": 1}), "JSON with tabs");
    }

    #[test]
    fn what_stands_without_quotes_means_what_kubectl_takes_it_for() {
        let meant = |text: &str| parse(text, 1).unwrap().value;
        assert_eq!(meant("111122223333"), json!(111_122_223_333_i64));
        assert_eq!(meant("'111122223333'"), json!("111122223333"));
        assert_eq!((meant("on"), meant("1.5"), meant("1h")), (json!(true), json!(1.5), json!("1h")));
        assert_eq!(
            (meant("10.0.0.0/16"), meant("1.2.3"), meant("a: ")),
            (json!("10.0.0.0/16"), json!("1.2.3"), json!({"a": null}))
        );
    }
}
