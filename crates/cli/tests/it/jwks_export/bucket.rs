//! Files in a bucket of S3.

use object_store::path::Path;
use object_store::{Attribute, ObjectStoreExt};
use rstest::rstest;

use super::follow::wait_for_files;
use super::{
    EXPORT, STRANGER, counts, export, file_of, files_in, files_of, issue, keyspace, names_in,
    served, write,
};
use crate::commands::Site;
use crate::harness::{Bucket, Folder};

#[rstest]
#[case::locally(Site::local())]
#[case::on_a_server(Site::remote())]
fn a_bucket_holds_the_files_of_active_keys(#[case] site: Site) {
    let bucket = Bucket::start();
    let cli = bucket.reached_by(site.cli());
    keyspace(&cli, "ed", "EdDSA");
    let [first, second] = [issue(&cli, "ed"), issue(&cli, "ed")];
    for other in ["index.html", "a/index.html", "a/jwks/index.html"] {
        write(&bucket.files(), other, b"not ours");
    }
    // In another folder of the bucket, and so none of ours.
    write(&bucket.files(), &file_of(STRANGER), b"not ours");
    write(&bucket.files(), &format!("a/jwks/{}", file_of(STRANGER)), b"an old one");
    assert_eq!(export(&cli, "s3://keys/a/jwks", &[]), counts(2, 1, 0));
    assert_eq!(export(&cli, "s3://keys/a/jwks/", &[]), counts(0, 0, 2));
    let folder = bucket.files().join("a/jwks");
    let expected: Vec<_> =
        files_of(&[&first, &second]).into_iter().chain(["index.html".to_owned()]).collect();
    assert_eq!(names_in(&folder), expected);
    if let Some(server) = &site.server {
        assert_eq!(files_in(&folder)[&file_of(&first)], served(server.address(), &first));
    }
    cli.done(&["keys", "revoke", &first]);
    assert_eq!(export(&cli, "s3://keys/a/jwks", &[]), counts(0, 1, 1));
    assert_eq!(names_in(&folder), [file_of(&second), "index.html".to_owned()]);
    assert!(bucket.files().join(file_of(STRANGER)).exists());
}

#[test]
fn objects_say_what_they_are_and_for_how_long_they_may_be_kept() {
    let (folder, bucket) = (Folder::new(), Bucket::start());
    let cli = bucket.reached_by(folder.cli());
    keyspace(&cli, "ed", "EdDSA");
    let kid = issue(&cli, "ed");
    let said = || {
        let name = Path::parse(file_of(&kid)).unwrap();
        let found = bucket.block_on(bucket.client().get(&name)).unwrap();
        [Attribute::ContentType, Attribute::CacheControl]
            .map(|name| found.attributes.get(&name).unwrap().to_string())
    };
    assert_eq!(export(&cli, "s3://keys", &[]), counts(1, 0, 0));
    assert_eq!(said(), ["application/json", "max-age=60"]);
    let further = ["--max-age", "5m", "--verify-content"];
    assert_eq!(export(&cli, "s3://keys", &further), counts(1, 0, 0));
    assert_eq!(said(), ["application/json", "max-age=300"]);
    assert_eq!(export(&cli, "s3://keys", &further), counts(0, 0, 1));
}

#[test]
fn more_files_than_a_list_holds_are_found() {
    let (folder, bucket) = (Folder::new(), Bucket::start());
    let cli = bucket.reached_by(folder.cli());
    keyspace(&cli, "ed", "EdDSA");
    for number in 0..1_050 {
        let kid = format!("01890a5d-ac96-774b-bcce-{number:012x}");
        write(&bucket.files(), &file_of(&kid), b"an old one");
    }
    assert_eq!(export(&cli, "s3://keys", &[]), counts(0, 1_050, 0));
    assert_eq!(names_in(&bucket.files()), Vec::<String>::new());
}

#[test]
fn an_unreachable_bucket_is_a_failure() {
    let (folder, mut bucket) = (Folder::new(), Bucket::start());
    let cli = bucket.reached_by(folder.cli());
    keyspace(&cli, "ed", "EdDSA");
    issue(&cli, "ed");
    let ended = cli.run(&[&EXPORT[..], &["s3://elsewhere/jwks"]].concat());
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("cannot list s3://elsewhere/jwks"), "{ended:?}");
    bucket.stop();
    let ended = cli.run(&[&EXPORT[..], &["s3://keys"]].concat());
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(!ended.stderr.contains("test-secret"), "{ended:?}");
}

#[test]
fn what_happens_while_the_bucket_is_away_is_caught_up_on() {
    let (folder, mut bucket) = (Folder::new(), Bucket::start());
    let server = folder.serve();
    let cli = bucket.reached_by(folder.cli().remote(&server));
    keyspace(&cli, "ed", "EdDSA");
    let [first, second] = [issue(&cli, "ed"), issue(&cli, "ed")];
    let mut follower = cli.start(&[&EXPORT[..], &["s3://keys", "--follow"]].concat());
    follower.complains("following");
    bucket.stop();
    cli.done(&["keys", "revoke", &first]);
    let third = issue(&cli, "ed");
    follower.complains("trying again");
    assert_eq!(names_in(&bucket.files()), files_of(&[&first, &second]));
    bucket.resume();
    wait_for_files(&bucket.files(), &[&second, &third]);
    assert_eq!(follower.stop().code, 0);
}
