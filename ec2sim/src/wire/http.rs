//! A request and its answer, as plain data: no HTTP library decides what the world sees.

/// What came over the wire.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct HttpRequest {
    pub method: String,
    /// Without the query string.
    pub path: String,
    /// What follows the `?`, still encoded; empty if there is none.
    pub query: String,
    /// Names in any case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// A POST to `/`, as AWS's SDKs send everything.
    pub fn post(body: impl Into<Vec<u8>>) -> Self {
        Self { method: "POST".to_owned(), path: "/".to_owned(), body: body.into(), ..Self::default() }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The first header of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let named = |(held, _): &&(String, String)| held.eq_ignore_ascii_case(name);
        self.headers.iter().find(named).map(|(_, value)| value.as_str())
    }
}

/// What goes back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HttpResponse {
    Answer(HttpAnswer),
    /// Nothing: the connection ends. The call may or may not have taken effect.
    NoReply,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpAnswer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl HttpAnswer {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("Content-Type", content_type.to_owned())], body: body.into() }
    }

    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl HttpResponse {
    pub fn answer(self) -> Option<HttpAnswer> {
        match self {
            Self::Answer(answer) => Some(answer),
            Self::NoReply => None,
        }
    }
}
