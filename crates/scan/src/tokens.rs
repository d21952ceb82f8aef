//! Signed keys in a text: what tells those of one keyspace from other tokens.

use keyward_core::jose::{Issuers, PairKind, SignatureAlgorithm, SignedToken};
use keyward_core::{KeyId, Signed};

use crate::shape::{Edges, Shape, Symbols};

/// How the tokens of one keyspace are told: the header is one of ours, and the issuer is the
/// keyspace's, with the key's id behind it. Whether the signature is right, the text does not say.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    signed: Signed,
    issuers: Issuers,
    /// What the three parts are written in.
    symbols: Symbols,
}

impl Tokens {
    /// An expression of how tokens begin: with a header whose first member is `alg`, `kid` or `typ`.
    /// Ours begin with the first. Those that were taken over may be written otherwise.
    pub(crate) const BEGINNING: &str = "eyJ(?:hbGci|raWQi|0eXAi)";

    /// Characters of a header that are looked at: ours has 80, and 96 with a `typ`. It keeps texts that
    /// consist of beginnings from being read over and over.
    const MOST_HEADER: usize = 128;

    pub(crate) fn new(signed: &Signed) -> Self {
        let issuers = Issuers::new([signed.issuer().clone()]);
        Self { signed: signed.clone(), issuers, symbols: Symbols::of_base64url() }
    }

    /// What any token looks like, taken together.
    pub(crate) fn shape(&self) -> Shape {
        let head = "eyJ".to_owned();
        let behind_head = SignedToken::MOST_LENGTH - head.len();
        let symbols = self.symbols.clone();
        Shape { head, id: None, secret: 1..=behind_head, symbols, edges: Edges::Free }
    }

    /// The beginning that all tokens have which are made for the keyspace: `{"alg":"…","kid":`.
    pub(crate) const fn head(&self) -> &'static str {
        match self.signed.pair().algorithm() {
            SignatureAlgorithm::EdDsa => "eyJhbGciOiJFZERTQSIsImtpZCI6",
            SignatureAlgorithm::Es256 => "eyJhbGciOiJFUzI1NiIsImtpZCI6",
            SignatureAlgorithm::Rs256 => "eyJhbGciOiJSUzI1NiIsImtpZCI6",
        }
    }

    /// A regular expression of the tokens that are made for the keyspace, as far as it goes: it cannot
    /// read the issuer. Some engines take no bound above 1,000.
    pub(crate) fn regex(&self) -> String {
        let (head, class) = (self.head(), self.symbols.class());
        let signature = encoded_length(self.signed.pair());
        // A UUID and `}` are 52 characters; a payload of subject, issuer, end and version is longer.
        format!(r"{head}[{class}]{{52}}\.eyJ[{class}]{{100,}}\.[{class}]{{{signature}}}")
    }

    /// The token of the keyspace that a text begins with, and the id of its key.
    pub(crate) fn read<'t>(&self, text: &'t [u8]) -> Option<(&'t str, KeyId)> {
        let behind_header = self.behind_part(text, Self::MOST_HEADER)?;
        let signature = self.behind_part(behind_header, SignedToken::MOST_LENGTH)?;
        let before = text.len() - signature.len();
        let own = encoded_length(self.signed.pair());
        let most = PairKind::ALL.into_iter().map(encoded_length).max().unwrap_or_default();
        let run = self.symbols.run(signature, most + 1);
        // Something may be glued to it. Keys that were taken over may be of another kind.
        [run, own].into_iter().filter(|&length| length <= run).find_map(|length| {
            let text = str::from_utf8(text.get(..before + length)?).ok()?;
            let token = SignedToken::read(text, &self.issuers).ok()?;
            (is_whole(&token) && self.signed.is_meant_by(&token))
                .then(|| (text, token.id().clone()))
        })
    }

    /// What stands behind a part of at most that many characters and its dot.
    fn behind_part<'t>(&self, text: &'t [u8], most: usize) -> Option<&'t [u8]> {
        text.get(self.symbols.run(text, most)..)?.strip_prefix(b".")
    }
}

/// Whether the signature is as long as those of its algorithm.
fn is_whole(token: &SignedToken<'_>) -> bool {
    let length = token.signature().len();
    let fits =
        |kind: PairKind| kind.algorithm() == token.algorithm() && kind.signature_length() == length;
    PairKind::ALL.into_iter().any(fits)
}

/// How long signatures of a kind are in base64url without padding.
const fn encoded_length(kind: PairKind) -> usize {
    (kind.signature_length() * 4).div_ceil(3)
}
