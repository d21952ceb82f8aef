//! Answers as JSON.

use std::io;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use zeroize::Zeroizing;

/// An answer as JSON.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) StatusCode, pub(crate) T);

/// An answer that is JSON already.
#[derive(Debug)]
pub(crate) struct WrittenJson(pub(crate) StatusCode, pub(crate) Vec<u8>);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        // Room for a key, so that the buffer need not grow on the way.
        let mut body = Vec::with_capacity(1_024);
        match serde_json::to_writer(&mut body, &self.1) {
            Ok(()) => WrittenJson(self.0, body).into_response(),
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written as JSON");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

impl IntoResponse for WrittenJson {
    fn into_response(self) -> Response {
        let kind = HeaderValue::from_static("application/json");
        (self.0, [(CONTENT_TYPE, kind)], self.1).into_response()
    }
}

/// An answer as JSON that holds a secret: its bytes are wiped once they are sent.
#[derive(Debug)]
pub(crate) struct SecretJson<T>(pub(crate) StatusCode, pub(crate) T);

impl<T: Serialize> IntoResponse for SecretJson<T> {
    fn into_response(self) -> Response {
        let mut body = Wiped(Zeroizing::new(Vec::with_capacity(8_192)));
        match serde_json::to_writer(&mut body, &self.1) {
            Ok(()) => {
                let kind = HeaderValue::from_static("application/json");
                (self.0, [(CONTENT_TYPE, kind)], Bytes::from_owner(body)).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written as JSON");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// Bytes that are wiped when they are dropped, and when they move because they need more room.
struct Wiped(Zeroizing<Vec<u8>>);

impl io::Write for Wiped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > self.0.capacity() {
            let mut larger = Vec::with_capacity((self.0.len() + bytes.len()) * 2);
            larger.extend_from_slice(&self.0);
            self.0 = Zeroizing::new(larger);
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}
