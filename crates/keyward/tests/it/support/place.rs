//! Where the records of a test are: in memory, in a file, or in a server of its own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use keyward::store::{MemoryStore, Store};
use keyward_store_postgres::{PostgresOptions, PostgresStore};
use keyward_store_redis::{RedisOptions, RedisStore};
use keyward_store_sqlite::{SqliteOptions, SqliteStore};
use keyward_testkit::postgres::Postgres;
use keyward_testkit::redis::{DURABLE, Redis};
use tokio::runtime::Runtime;

use super::Backend;

const DATABASE: &str = "keyward";

/// A place to open a store at, any number of times.
pub(super) enum Place {
    Memory(Arc<MemoryStore>),
    Postgres(Postgres),
    Redis(Redis),
    Sqlite(PathBuf),
}

impl Place {
    pub(super) fn new(backend: Backend, folder: &Path) -> Self {
        match backend {
            Backend::Memory => Self::Memory(Arc::default()),
            Backend::Postgres => {
                let server = Postgres::start(&[]);
                server.create_database(DATABASE);
                let url = server.url(DATABASE);
                apart(async move { PostgresStore::migrate(&url).await.unwrap() });
                Self::Postgres(server)
            }
            Backend::Redis => Self::Redis(Redis::start(DURABLE)),
            Backend::Sqlite => Self::Sqlite(folder.join("keyward.db")),
        }
    }

    pub(super) fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::<MemoryStore>::clone(store),
            Self::Postgres(server) => {
                let url = server.url(DATABASE);
                let options = PostgresOptions::default();
                apart(
                    async move { Arc::new(PostgresStore::connect(&url, &options).await.unwrap()) },
                )
            }
            Self::Redis(server) => {
                let url = server.url();
                let options = RedisOptions::default();
                apart(async move { Arc::new(RedisStore::connect(&url, &options).await.unwrap()) })
            }
            Self::Sqlite(path) => {
                Arc::new(SqliteStore::open(path, &SqliteOptions::default()).unwrap())
            }
        }
    }
}

/// Runs something on threads of its own, where the connections that it opens live on: tests run on one
/// thread, and count on nothing else happening there.
fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(1).enable_all().build().unwrap()
    });
    std::thread::spawn(|| RUNTIME.block_on(work)).join().unwrap()
}
