//! `keyward token …`

use keyward::{Dialect, Expected, HexDigest, Invalid, Profile, Secret, SystemEntropy, TokenFault};
use serde_json::{Value, json};

use super::verify::read_secret;
use crate::args::{
    ProfileArgs, TokenArgs, TokenCheckArgs, TokenCommand, TokenGenerateArgs, TokenInspectArgs,
};
use crate::outcome::{Outcome, Unusable};
use crate::printer;

pub(super) fn run(as_json: bool, command: TokenCommand) -> anyhow::Result<Outcome> {
    match command {
        TokenCommand::Check(args) => check(as_json, args),
        TokenCommand::Generate(args) => generate(as_json, &args),
        TokenCommand::Hash(args) => hash(as_json, args),
        TokenCommand::Inspect(args) => inspect(as_json, args),
    }
}

fn check(as_json: bool, args: TokenCheckArgs) -> anyhow::Result<Outcome> {
    let (profile, token) = read(args.token)?;
    let expected = Expected { prefix: args.prefix.as_deref(), id: args.id.as_deref() };
    match profile.check(token.expose(), &args.stored_hash, &expected) {
        // Nothing can be said of any token: the call is wrong.
        Err(fault @ TokenFault::StoredHash) => Err(Unusable(fault.to_string()).into()),
        Err(fault) => refused(as_json, fault),
        Ok(parts) => {
            let answer = json!({"accepted": true, "prefix": parts.prefix, "id": parts.id});
            print(as_json, &answer)
        }
    }
}

fn generate(as_json: bool, args: &TokenGenerateArgs) -> anyhow::Result<Outcome> {
    let profile = profile(&args.profile)?;
    if !profile.is_strong() && !args.allow_weak {
        let rule = "a secret of this length can be guessed: --secret-length, or --allow-weak";
        return Err(Unusable(rule.to_owned()).into());
    }
    let made = profile.generate(&args.prefix, &SystemEntropy);
    let made = made.map_err(|invalid| unusable("--prefix", &invalid))?;
    let stored = json!({"id": made.id, "hash": made.hash});
    if as_json {
        let token = made.token.expose();
        printer::json(&json!({"token": token, "id": made.id, "hash": made.hash}))?;
        return Ok(Outcome::Done);
    }
    printer::object(&stored)?;
    printer::complain("this is the token, which is shown only now:");
    printer::say(made.token.expose())?;
    Ok(Outcome::Done)
}

fn hash(as_json: bool, args: TokenArgs) -> anyhow::Result<Outcome> {
    let (profile, token) = read(args)?;
    match profile.hash(token.expose()) {
        Err(fault) => refused(as_json, fault),
        Ok(hash) if as_json => print(as_json, &json!({ "hash": hash })),
        Ok(hash) => {
            printer::say(hash)?;
            Ok(Outcome::Done)
        }
    }
}

fn inspect(as_json: bool, args: TokenInspectArgs) -> anyhow::Result<Outcome> {
    let (profile, token) = read(args.token)?;
    match profile.components(token.expose()) {
        Err(fault) => refused(as_json, fault),
        Ok(parts) => {
            let mut answer = json!({"prefix": parts.prefix, "id": parts.id});
            if args.show_secret
                && let Some(members) = answer.as_object_mut()
            {
                members.insert("secret".to_owned(), parts.secret.into());
            }
            print(as_json, &answer)
        }
    }
}

fn read(args: TokenArgs) -> anyhow::Result<(Profile, Secret)> {
    let profile = profile(&args.profile)?;
    let token = args.token.map_or_else(read_secret, |token| Ok(Secret::new(token)))?;
    Ok((profile, token))
}

fn profile(args: &ProfileArgs) -> anyhow::Result<Profile> {
    let dialect: Dialect = args.profile.parse().map_err(|e| unusable("--profile", &e))?;
    let mut profile = Profile::new(dialect);
    if let Some(length) = args.id_length {
        profile = profile.with_id_length(length).map_err(|e| unusable("--id-length", &e))?;
    }
    if let Some(length) = args.secret_length {
        profile =
            profile.with_secret_length(length).map_err(|e| unusable("--secret-length", &e))?;
    }
    if let Some(prefix) = &args.short_prefix {
        profile = profile.with_short_prefix(prefix).map_err(|e| unusable("--short-prefix", &e))?;
    }
    if let Some(name) = &args.digest {
        let digest: HexDigest = name.parse().map_err(|e| unusable("--digest", &e))?;
        profile = profile.with_digest(digest).map_err(|e| unusable("--digest", &e))?;
    }
    Ok(profile)
}

fn unusable(flag: &str, invalid: &Invalid) -> anyhow::Error {
    Unusable(format!("{flag} {invalid}")).into()
}

fn refused(as_json: bool, fault: TokenFault) -> anyhow::Result<Outcome> {
    if as_json {
        printer::json(&json!({"accepted": false, "reason": fault.to_string()}))?;
    } else {
        printer::complain(&fault.to_string());
    }
    Ok(Outcome::Refused)
}

fn print(as_json: bool, answer: &Value) -> anyhow::Result<Outcome> {
    let printed = if as_json { printer::json(answer) } else { printer::object(answer) };
    printed?;
    Ok(Outcome::Done)
}
