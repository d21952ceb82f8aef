//! Hearing of changes as they are made.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::{AsyncMessage, Client};

use crate::connector::{Connector, Driver};
use crate::failure::Failure;
use crate::feed::CHANNEL;

/// How often the connection is tried while nothing is heard: one that was cut off says nothing either.
const BEAT: Duration = Duration::from_secs(5);
/// How long to wait before a connection that was lost is made anew, at first and at last.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// A connection of its own that listens, from when somebody wants to hear.
pub(crate) struct Listener {
    heard: watch::Sender<()>,
    /// Absent where connections change hands between statements.
    connector: Option<Arc<Connector>>,
    task: OnceLock<AbortHandle>,
}

impl Listener {
    pub(crate) fn new(connector: Option<Arc<Connector>>) -> Self {
        Self { heard: watch::Sender::new(()), connector, task: OnceLock::new() }
    }

    /// An item for whatever is heard from now on; several at once may be one. Ends with the listener.
    pub(crate) fn hints(&self) -> BoxStream<'static, ()> {
        if let Some(connector) = &self.connector {
            self.task.get_or_init(|| {
                let (connector, heard) = (Arc::clone(connector), self.heard.clone());
                tokio::spawn(async move { listen(&connector, &heard).await }).abort_handle()
            });
        }
        let heard = self.heard.subscribe();
        let next = |mut heard: watch::Receiver<()>| async {
            heard.changed().await.ok()?;
            Some(((), heard))
        };
        stream::unfold(heard, next).boxed()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("connector", &self.connector).finish_non_exhaustive()
    }
}

/// Listens, over one connection after the other.
async fn listen(connector: &Connector, heard: &watch::Sender<()>) {
    let mut pause = PAUSES.0;
    loop {
        let failure = match connector.connect_raw().await {
            Ok((client, mut driver)) => tokio::select! {
                failure = drive(&mut driver, heard) => failure,
                failure = stay(&client, connector.patience(), heard, &mut pause) => failure,
            },
            Err(failure) => failure,
        };
        tracing::debug!(error = %failure, "not hearing of changes");
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Passes on what the server tells.
async fn drive(driver: &mut Driver, heard: &watch::Sender<()>) -> Failure {
    loop {
        match poll_fn(|context| driver.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(_))) => heard.send_replace(()),
            Some(Ok(_)) => {}
            Some(Err(error)) => return error.into(),
            None => return Failure::Closed,
        }
    }
}

/// Has the server tell, and sees that it goes on to.
async fn stay(
    client: &Client,
    patience: Duration,
    heard: &watch::Sender<()>,
    pause: &mut Duration,
) -> Failure {
    let listen = format!("LISTEN {CHANNEL}");
    let mut script = listen.as_str();
    loop {
        match timeout(patience, client.batch_execute(script)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error.into(),
            Err(_) => return Failure::TimedOut(patience),
        }
        if !script.is_empty() {
            // Something may have been told before.
            heard.send_replace(());
            *pause = PAUSES.0;
            script = "";
        }
        sleep(BEAT).await;
    }
}
