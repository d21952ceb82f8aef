//! Fetching documents with public keys over HTTP.

use std::time::Duration;

use keyward_core::KeyId;
use keyward_core::jose::{BaseIssuer, KeySet, PublicKey};
use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Response, StatusCode, redirect};

use super::freshness::Freshness;
use crate::FetchLimits;
use crate::error::FetchFault;

/// How many times as long as the document with one key those of an authorization server may be: it has
/// several keys.
const MOST_OF_SERVER: usize = 8;

/// A key, and what its server says about keeping it.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) key: PublicKey,
    pub(super) freshness: Freshness,
}

/// Asks issuers for their keys.
///
/// Only 404, 410 and a document without keys say that there is no such key; only a document with that
/// key says that there is. Whatever else comes says nothing.
#[derive(Clone, Debug)]
pub(crate) struct Fetcher {
    client: Client,
    most_bytes: usize,
}

impl Fetcher {
    pub(crate) fn new(limits: &FetchLimits) -> Result<Self, reqwest::Error> {
        let client = client(limits.connect_timeout).timeout(limits.timeout).build()?;
        Ok(Self { client, most_bytes: limits.most_bytes })
    }

    /// Fetches the key of that id. `past_caches`: what caches on the way hold must not be told unless
    /// they have asked the server.
    pub(super) async fn fetch(
        &self,
        issuer: &BaseIssuer,
        id: &KeyId,
        past_caches: bool,
    ) -> Result<Option<Document>, FetchFault> {
        let url = issuer.document_url(id.as_str());
        let Some((text, freshness)) = self.get(&url, past_caches, self.most_bytes).await? else {
            return Ok(None);
        };
        let key = KeySet::read(&text, id.as_str()).map_err(FetchFault::Document)?;
        Ok(key.map(|key| Document { key, freshness }))
    }

    /// Fetches a document of an authorization server, which may be longer, and must be there.
    pub(super) async fn fetch_of_server(
        &self,
        url: &str,
    ) -> Result<(String, Freshness), FetchFault> {
        let most_bytes = self.most_bytes.saturating_mul(MOST_OF_SERVER);
        let absent = FetchFault::Status(StatusCode::NOT_FOUND.as_u16());
        self.get(url, false, most_bytes).await?.ok_or(absent)
    }

    /// The text at a URL; none if its server says that there is none.
    async fn get(
        &self,
        url: &str,
        past_caches: bool,
        most_bytes: usize,
    ) -> Result<Option<(String, Freshness)>, FetchFault> {
        let request = self.client.get(url);
        let request = request.header(ACCEPT, "application/jwk-set+json, application/json");
        let request = if past_caches { request.header(CACHE_CONTROL, "no-cache") } else { request };
        let response = request.send().await.map_err(|error| fault(&error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
            other => return Err(FetchFault::Status(other.as_u16())),
        }
        if !is_json(response.headers()) {
            return Err(FetchFault::MediaType);
        }
        let freshness = Freshness::read(response.headers());
        let text = String::from_utf8(read(response, most_bytes).await?);
        Ok(Some((text.map_err(|_| FetchFault::Text)?, freshness)))
    }
}

/// Reads no more than a document may be long, whatever the server says that it is.
async fn read(mut response: Response, most_bytes: usize) -> Result<Vec<u8>, FetchFault> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| fault(&error))? {
        if bytes.len() + chunk.len() > most_bytes {
            return Err(FetchFault::TooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A client that goes where it is told and nowhere else: no redirects, and no proxy that the
/// environment names.
pub(crate) fn client(connect_timeout: Duration) -> reqwest::ClientBuilder {
    Client::builder()
        .connect_timeout(connect_timeout)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
}

/// Whether an answer is said to be JSON, or nothing is said: servers of plain files do not always know.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE) else { return true };
    let value = value.to_str().unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    let known = ["application/json", "application/jwk-set+json"];
    known.iter().any(|known| media_type.eq_ignore_ascii_case(known))
}

fn fault(error: &reqwest::Error) -> FetchFault {
    match error {
        error if error.is_connect() => FetchFault::NoConnection,
        error if error.is_timeout() => FetchFault::Timeout,
        _ => FetchFault::Connection,
    }
}
