//! Members that stand there twice, so that two readers may see two tokens.

use keyward_core::jose::SignedFault::{Claims, Header};

use super::forge::{ed25519, neighbour};
use super::{Attack, decided, refused};

pub(super) const ATTACKS: &[Attack] = &[
    refused("alg", Header, || ed25519().with_more_header(r#""alg":"none""#)),
    refused("alg_of_the_same_value", Header, || ed25519().with_more_header(r#""alg":"EdDSA""#)),
    refused("alg_first", Header, || ed25519().with_header("{", r#"{"alg":"none","#)),
    refused("alg_escaped", Header, || ed25519().with_more_header(r#""\u0061lg":"none""#)),
    refused("kid", Header, || {
        ed25519().with_more_header(&format!(r#""kid":"{}""#, neighbour().kid()))
    }),
    refused("kid_escaped", Header, || {
        ed25519().with_more_header(&format!(r#""k\u0069d":"{}""#, neighbour().kid()))
    }),
    refused("typ", Header, || ed25519().with_more_header(r#""typ":"JWT","typ":"JWT""#)),
    refused("sub", Claims, || ed25519().with_more(r#""sub":"root""#)),
    refused("sub_first", Claims, || ed25519().with_payload("{", r#"{"sub":"root","#)),
    refused("sub_escaped", Claims, || ed25519().with_more(r#""s\u0075b":"root""#)),
    refused("iss", Claims, || ed25519().with_more(r#""iss":"https://evil.example/x""#)),
    refused("aud", Claims, || ed25519().with_more(r#""aud":"billing""#)),
    refused("exp", Claims, || ed25519().with_more(r#""exp":4102444800"#)),
    refused("exp_of_the_same_value", Claims, || ed25519().with_more(r#""exp":1798765200"#)),
    refused("exp_escaped", Claims, || ed25519().with_more(r#""\u0065\u0078\u0070":4102444800"#)),
    refused("ver", Claims, || ed25519().with_more(r#""ver":"japikey-v2""#)),
    refused("iat", Claims, || ed25519().with_more(r#""iat":0"#)),
    refused("nbf", Claims, || ed25519().with_more(r#""nbf":0,"nbf":4102444800"#)),
    refused("scopes", Claims, || ed25519().with_more(r#""scopes":["a"],"scopes":["b"]"#)),
    refused("a_name_that_nobody_reads", Claims, || ed25519().with_more(r#""x":1,"y":2,"x":1"#)),
    refused("empty_names", Claims, || ed25519().with_more(r#""":1,"":2"#)),
    refused("a_slash_escaped", Claims, || ed25519().with_more(r#""a/b":1,"a\/b":2"#)),
    refused("an_emoji_escaped", Claims, || ed25519().with_more(r#""🔑":1,"\ud83d\udd11":2"#)),
    refused("inside", Claims, || ed25519().with_more(r#""a":{"b":1,"b":2}"#)),
    refused("deep_inside", Claims, || ed25519().with_more(r#""a":{"b":{"c":{"d":1,"d":1}}}"#)),
    refused("in_a_list", Claims, || ed25519().with_more(r#""a":[{"b":1},{"b":1,"b":2}]"#)),
    refused("in_an_address", Claims, || {
        ed25519().with_more(r#""address":{"country":"a","c\u006funtry":"b"}"#)
    }),
    // JSON's names are compared as they are: these are others.
    decided("in_capitals", "allowed", || ed25519().with_more(r#""SUB":"root","Exp":0"#)),
    decided("composed_otherwise", "allowed", || ed25519().with_more("\"\u{e4}\":1,\"a\u{308}\":2")),
    decided("in_two_objects", "allowed", || ed25519().with_more(r#""a":{"sub":1},"b":{"sub":1}"#)),
];
