//! A server of S3 in this process, which keeps its objects as files.

use std::net::{Ipv4Addr, SocketAddr};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::{Cli, Folder};

/// The bucket `keys` on a server that can be stopped and started again.
pub(crate) struct Bucket {
    address: SocketAddr,
    folder: Folder,
    runtime: Option<Runtime>,
}

const KEY: &str = "test-key";
const SECRET: &str = "test-secret";

impl Bucket {
    /// An empty bucket whose server runs.
    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        std::fs::create_dir(folder.file("keys")).unwrap();
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        let mut bucket = Self { address, folder, runtime: None };
        bucket.resume();
        bucket
    }

    /// Starts the server again, at the same address.
    pub(crate) fn resume(&mut self) {
        let files = s3s_fs::FileSystem::new(self.folder.path()).unwrap();
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(TcpListener::bind(self.address)).unwrap();
        self.address = listener.local_addr().unwrap();
        runtime.spawn(serve(listener, builder.build()));
        self.runtime = Some(runtime);
    }

    /// Stops the server, and ends all connections.
    pub(crate) fn stop(&mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    /// The command with what the environment must say of the server.
    pub(crate) fn reached_by<'a>(&self, cli: Cli<'a>) -> Cli<'a> {
        cli.env("AWS_ENDPOINT_URL", &format!("http://{}", self.address))
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET)
    }

    /// A client of the server.
    pub(crate) fn client(&self) -> AmazonS3 {
        AmazonS3Builder::new()
            .with_endpoint(format!("http://{}", self.address))
            .with_allow_http(true)
            .with_region("us-east-1")
            .with_bucket_name("keys")
            .with_access_key_id(KEY)
            .with_secret_access_key(SECRET)
            .build()
            .unwrap()
    }

    /// Where the objects lie.
    pub(crate) fn files(&self) -> std::path::PathBuf {
        self.folder.file("keys")
    }

    /// Waits for what a client does.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.as_ref().unwrap().block_on(future)
    }
}

async fn serve(listener: TcpListener, service: S3Service) {
    let http = Builder::new(TokioExecutor::new());
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let socket = TokioIo::new(socket);
        let connection = http.serve_connection(socket, service.clone()).into_owned();
        // Whoever goes away in the middle is no concern of the server's.
        tokio::spawn(async { drop(connection.await) });
    }
}
