use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// What went wrong, as programs tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// What is asked for is not there.
    NotFound,
    /// It does not take that method.
    WrongMethod,
    /// The request cannot be understood.
    Wrong,
    /// The request's body is too large.
    TooLarge,
    /// Nobody says who asks, or nobody knows them.
    Unauthenticated,
    /// Who asks may not do that.
    Forbidden,
    /// Who asks has asked too often.
    TooMany,
    /// The instance's state does not allow it.
    Refused,
    /// Kafka or the view cannot be had now.
    Unavailable,
    /// A mistake of Segue's own.
    Defect,
}

impl Code {
    fn facts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "It is not there"),
            Self::WrongMethod => {
                (StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "It does not take this method")
            }
            Self::Wrong => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "wrong-request",
                "The request cannot be understood",
            ),
            Self::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The request is too large")
            }
            Self::Unauthenticated => {
                (StatusCode::UNAUTHORIZED, "unauthenticated", "Nobody knows who asks")
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "Who asks may not do that"),
            Self::TooMany => {
                (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "There were too many requests")
            }
            Self::Refused => (StatusCode::CONFLICT, "refused", "The instance refuses it"),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "It cannot be had now")
            }
            Self::Defect => {
                (StatusCode::INTERNAL_SERVER_ERROR, "defect", "This is a mistake of Segue's own")
            }
        }
    }
}

/// What went wrong and what to do about it (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// A name for this kind of problem.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: Box<str>,
    /// The kind of problem in a few words, always the same.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// The kind of problem as one word.
    code: &'static str,
    /// What is wrong here.
    #[schema(value_type = String)]
    detail: Box<str>,
    /// What to do about it.
    #[schema(value_type = String)]
    mend: Box<str>,
    /// What is near to that which was not found.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[schema(value_type = Vec<String>)]
    near: Box<[String]>,
    #[serde(skip)]
    after_s: Option<u32>,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>, mend: impl Into<String>) -> Self {
        let (status, word, title) = code.facts();
        Self {
            kind: format!("urn:segue:problem:{word}").into(),
            title,
            status: status.as_u16(),
            code: word,
            detail: detail.into().into_boxed_str(),
            mend: mend.into().into_boxed_str(),
            near: Box::default(),
            after_s: None,
        }
    }

    /// The same, with what is near to that which was not found.
    pub fn near(self, near: Vec<String>) -> Self {
        Self { near: near.into(), ..self }
    }

    /// The same, with the seconds after which it may be tried again.
    pub fn after(self, seconds: u32) -> Self {
        Self { after_s: Some(seconds), ..self }
    }

    /// The kind of problem in a few words.
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// What is wrong here.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What to do about it.
    pub fn mend(&self) -> &str {
        &self.mend
    }

    /// What is near to that which was not found.
    pub fn near_by(&self) -> &[String] {
        &self.near
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).expect("it was made of one")
    }

    /// The request cannot be understood.
    pub fn wrong(detail: impl Into<String>) -> Self {
        Self::new(Code::Wrong, detail, "mend the request; /openapi.json describes it")
    }

    /// A mistake of Segue's own.
    pub fn defect(detail: impl Into<String>) -> Self {
        Self::new(Code::Defect, detail, "report it with the log of this moment")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::to_vec(&self).expect("texts and numbers alone");
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
        let mut response = (status, kind, body).into_response();
        if let Some(seconds) = self.after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        // What dresses answers reads it here.
        response.extensions_mut().insert(self);
        if status == StatusCode::UNAUTHORIZED {
            let how = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        response
    }
}
