//! Three nodes of Keyward on this machine behind a balancer, to try it out: `./dev cluster`.
#![expect(clippy::print_stdout, reason = "it tells people where the nodes are")]

use std::path::Path;
use std::process::ExitCode;

use keyward_testkit::cluster::{Balancer, Cluster, Node, NodePlan};
use keyward_testkit::postgres::Postgres;
use keyward_testkit::redis::Redis;
use tokio::signal::unix::{SignalKind, signal};

const NODES: usize = 3;

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let (program, kind) = (arguments.next(), arguments.next());
    let over: fn(&Path) -> Site = match (program.as_deref(), kind.as_deref()) {
        (Some(_), None) => Site::over_postgres,
        (Some(_), Some("--sqlite")) => Site::over_sqlite,
        _ => anyhow::bail!("usage: cluster PROGRAM [--sqlite]"),
    };
    let program = std::path::absolute(program.unwrap_or_default())?;
    // Heard from now on, so that nothing is left behind by one that comes early.
    let mut signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
        .map(signal)
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let site = tokio::task::spawn_blocking({
        let program = program.clone();
        move || over(&program)
    })
    .await?;
    site.introduce(&program);
    let heard = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    futures_util::future::select_all(heard).await;
    println!("\nstopping");
    tokio::task::spawn_blocking(move || site.stop()).await?;
    Ok(ExitCode::SUCCESS)
}

/// Everything that runs. Whatever stands on something else comes before it.
struct Site {
    balancer: Balancer,
    cluster: Cluster,
    redis: Option<Redis>,
    postgres: Option<Postgres>,
}

impl Site {
    fn over_sqlite(program: &Path) -> Self {
        let cluster = Cluster::start(program, vec![NodePlan::new("sqlite:keyward.db"); NODES]);
        Self { balancer: cluster.balance(), cluster, redis: None, postgres: None }
    }

    fn over_postgres(program: &Path) -> Self {
        let postgres = Postgres::start(&[]);
        postgres.create_database("keyward");
        let redis = Redis::start(&[]);
        let url = postgres.url("keyward");
        let mut cluster = Cluster::empty(program);
        cluster.run(&["migrate", "--database", &url]);
        let shared = format!(
            "[cache]\nshared = \"{}\"\n\n[[peppers]]\nversion = 1\n\
             value = \"for trying things out, and nothing else\"\n",
            redis.url()
        );
        for _ in 0..NODES {
            cluster.add(NodePlan::new(url.as_str()).with(shared.as_str()));
        }
        let balancer = cluster.balance();
        Self { balancer, cluster, redis: Some(redis), postgres: Some(postgres) }
    }

    /// Says what there is, and what to do with it.
    fn introduce(&self, program: &Path) {
        let balancer = format!("http://{}", self.balancer.address());
        let nodes: Vec<_> = self.cluster.nodes().iter().map(Node::url).collect();
        let key_file = self.cluster.root_key_file();
        println!("balancer    {balancer}");
        println!("nodes       {}", nodes.join("  "));
        if let Some(postgres) = &self.postgres {
            println!("PostgreSQL  {}", postgres.url("keyward"));
        }
        if let Some(redis) = &self.redis {
            println!("Redis       {}", redis.url());
        }
        println!("folder      {}", self.cluster.folder().display());
        println!("root key    {}", key_file.display());
        let keyward = |server: &str, command: &str| {
            let (program, key_file) = (program.display(), key_file.display());
            println!("  {program} --server {server} --key-file {key_file} {command}");
        };
        println!("\nto try:");
        keyward(&balancer, "keys issue --owner me");
        keyward(&balancer, "verify SECRET");
        keyward(nodes.first().unwrap_or(&balancer), "keys revoke ID");
        println!("\nCtrl-C stops all of it, and the folder goes.");
    }

    fn stop(self) {
        let Self { balancer, mut cluster, redis, postgres } = self;
        drop(balancer);
        for number in 0..NODES {
            cluster.node(number).stop();
        }
        drop((cluster, redis, postgres));
    }
}
