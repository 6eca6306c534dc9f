//! An answer is read only if it is whole. The SDK's XML reader takes the end of the text, or whatever it can't
//! understand, for the end of the list that it is in: a list that was cut off would pass for a short one, and what it
//! lacks for absent.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Fails every answer of success whose body is not one whole XML element.
#[derive(Debug)]
pub(super) struct WholeAnswers;

impl Intercept for WholeAnswers {
    fn name(&self) -> &'static str {
        "WholeAnswers"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        if !response.status().is_success() {
            return Ok(());
        }
        let body = std::str::from_utf8(response.body().bytes().unwrap_or_default())?;
        check(body).map_err(|why| format!("an answer that is not whole: {why}").into())
    }
}

/// That the text is one XML element, every tag in it closed in its turn, and no text in it that XML does not allow.
/// Comments, entities of its own and the like are not looked for: AWS sends none.
fn check(text: &str) -> Result<(), String> {
    let mut rest = text.trim_start();
    if let Some(after) = rest.strip_prefix("<?xml") {
        rest = after.split_once("?>").ok_or("a declaration that does not end")?.1;
    }
    let (mut open, mut roots): (Vec<&str>, usize) = (Vec::new(), 0);
    while let Some((before, after)) = rest.split_once('<') {
        check_text(before, open.is_empty())?;
        let (tag, behind) = after.split_once('>').ok_or("a tag that does not end")?;
        rest = behind;
        if let Some(name) = tag.strip_prefix('/') {
            let opened = open.pop();
            if opened != Some(name.trim_end()) {
                return Err(format!("</{name}> closes {}", opened.unwrap_or("nothing")));
            }
            continue;
        }
        let (inside, is_closed) = tag.strip_suffix('/').map_or((tag, false), |inside| (inside, true));
        let name = check_tag(inside)?;
        roots += usize::from(open.is_empty());
        if !is_closed {
            open.push(name);
        }
    }
    check_text(rest, true)?;
    match (open.pop(), roots) {
        (Some(name), _) => Err(format!("{name} is not closed")),
        (None, 1) => Ok(()),
        (None, roots) => Err(format!("{roots} elements instead of one")),
    }
}

/// The name of an opening tag; behind it there may be attributes, each with its value in quotes.
fn check_tag(inside: &str) -> Result<&str, String> {
    let end = inside.find(|c: char| c.is_ascii_whitespace()).unwrap_or(inside.len());
    let (name, attributes) = inside.split_at(end);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:".contains(c));
    // Names stand outside of the quotes, values within.
    let outside: Vec<&str> = attributes.split('"').step_by(2).collect();
    let is_attribute = |name: &&str| name.trim().strip_suffix('=').is_some_and(|name| !name.is_empty());
    let is_quoted = attributes.matches('"').count() % 2 == 0
        && outside
            .split_last()
            .is_some_and(|(last, names)| last.trim().is_empty() && names.iter().all(is_attribute));
    if is_name && is_quoted { Ok(name) } else { Err(format!("<{inside}> is no tag")) }
}

fn check_text(text: &str, is_outside: bool) -> Result<(), String> {
    if is_outside && !text.trim().is_empty() {
        return Err("text outside the element".to_owned());
    }
    let is_forbidden = |c: char| (c < ' ' && !"\t\n\r".contains(c)) || matches!(c, '\u{fffe}' | '\u{ffff}');
    if text.contains(is_forbidden) || text.contains("]]>") {
        return Err("characters that XML does not allow".to_owned());
    }
    let is_reference = |after: &str| {
        let word = after.split_once(';').map_or("", |(word, _)| word);
        matches!(word, "amp" | "lt" | "gt" | "quot" | "apos")
            || word.strip_prefix('#').is_some_and(|number| {
                !number.is_empty() && number.chars().all(|c| c.is_ascii_hexdigit() || c == 'x')
            })
    };
    match text.split('&').skip(1).all(is_reference) {
        true => Ok(()),
        false => Err("an & that refers to nothing".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn whole_answers_of_every_make_pass() {
        for whole in [
            "<a/>",
            "<a></a>",
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a xmlns=\"http://x/\" b=\"c\">\n <b>t</b>\n</a>\n",
            "  <a>&amp;&lt;&#10;&#xD;<b/><b >x</b ></a>",
            "<a>\u{1f980} > \"'</a>",
        ] {
            assert_eq!(check(whole), Ok(()), "{whole}");
        }
    }

    #[test]
    fn what_lacks_something_or_has_too_much_does_not() {
        for broken in [
            "",
            "text",
            "<a>",
            "<a",
            "<a></b>",
            "</a>",
            "<a/><a/>",
            "<a></a>b",
            "<a><b></a></b>",
            "<?xml",
            "<a>&</a>",
            "<a>& ;</a>",
            "<a>&#;</a>",
            "<a>\0</a>",
            "<a>]]></a>",
            "<a><!-- b --></a>",
            "<!doctype html><a/>",
            "<a b></a>",
            "<a b=\"c></a>",
            "<1/>",
            "< a/>",
        ] {
            assert!(check(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn no_part_of_a_whole_answer_is_one() {
        let whole = "<?xml version=\"1.0\"?><a x=\"y\"><b>&amp;1</b><c/><d><e>2</e></d></a>";
        assert_eq!(check(whole), Ok(()));
        for end in 0..whole.len() {
            assert!(check(&whole[..end]).is_err(), "{}", &whole[..end]);
        }
    }
}
