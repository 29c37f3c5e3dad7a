//! Where calls over the network wait.
//!
//! The storages are called from ordinary threads and block; the libraries below them speak in
//! futures. One small runtime serves the whole process: its worker moves bytes, each caller waits
//! on its own thread and drives its own future there. Work of the processor stays off the worker.

use std::error::Error;
use std::io;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;

use tokio::runtime::Builder;
use tokio::runtime::Runtime;

use crate::disk;

/// The runtime of a process.
#[derive(Debug)]
pub struct Wire(Runtime);

impl Wire {
    /// The one runtime of this process, made by the first who asks. It ends with the process.
    ///
    /// # Errors
    /// Those of starting a thread.
    pub fn shared() -> io::Result<&'static Self> {
        static SHARED: OnceLock<Wire> = OnceLock::new();
        static MAKING: Mutex<()> = Mutex::new(());
        let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wire) = SHARED.get() {
            return Ok(wire);
        }
        let mut runtime = Builder::new_multi_thread();
        let wire = Self(runtime.worker_threads(1).thread_name("wire").enable_all().build()?);
        Ok(SHARED.get_or_init(|| wire))
    }

    /// Waits on this thread until the future is done. Timers, connections and tasks started inside
    /// belong to the runtime.
    ///
    /// Never from a future of the runtime itself: a caller there would hold the worker that it
    /// waits for, and the library ends such a call by a panic.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

/// What is to be told of an error if its reason is that no more connections can be opened here.
pub(super) fn lacks_handles(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        let system = error.downcast_ref::<io::Error>();
        if let Some(text) = system.and_then(disk::lacks_handles) {
            return Some(text);
        }
        let inner = system.and_then(io::Error::get_ref);
        next = inner.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::io::AsyncReadExt;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;
    use tokio::net::TcpStream;
    use tokio::sync::Barrier;

    use super::Wire;

    #[test]
    fn threads_share_one_runtime_and_wait_at_the_same_time() {
        const CALLERS: u64 = 8;
        let met = Arc::new(Barrier::new(8));
        let waited = |n: u64| {
            let met = Arc::clone(&met);
            let wire = Wire::shared().unwrap();
            // Nobody passes before all have come: a runtime that serves one at a time hangs here.
            wire.wait(async move {
                met.wait().await;
                tokio::time::timeout(Duration::from_secs(60), std::future::ready(n)).await.unwrap()
            })
        };
        let sum: u64 = std::thread::scope(|scope| {
            let waits: Vec<_> = (0..CALLERS)
                .map(|n| {
                    scope.spawn({
                        let waited = &waited;
                        move || waited(n)
                    })
                })
                .collect();
            waits.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(sum, 28);
        assert!(std::ptr::eq(Wire::shared().unwrap(), Wire::shared().unwrap()));
    }

    #[test]
    fn the_worker_moves_bytes_while_the_caller_waits() {
        let wire = Wire::shared().unwrap();
        let echoed = wire.wait(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let echo = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let thread = std::thread::current().name().map(str::to_owned);
                let mut got = [0; 4];
                stream.read_exact(&mut got).await.unwrap();
                stream.write_all(&got).await.unwrap();
                thread
            });
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"ping").await.unwrap();
            let mut got = Vec::new();
            stream.read_to_end(&mut got).await.unwrap();
            (got, echo.await.unwrap())
        });
        assert_eq!(echoed, (b"ping".to_vec(), Some("wire".to_owned())));
    }
}
