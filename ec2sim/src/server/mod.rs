//! An HTTP server around one [`World`]. It carries bytes, moves the clock, and obeys a control endpoint; everything
//! else is the world's.
//!
//! One thread serves all connections: the world is one value, and a call on it takes microseconds.

mod clock;
mod control;
mod hooks;
mod http;
mod order;
mod script;
mod shared;
mod weather;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::watch;

use crate::world::World;

pub use script::{Aim, Disturbance};
pub use shared::{Seen, Shared};
pub use weather::{Ratio, Weather};

/// How a server is to be.
#[derive(Clone, Debug)]
pub struct Options {
    pub host: String,
    /// 0: any free one.
    pub port: u16,
    /// Virtual milliseconds per real one; at 0 time stands still until it is moved.
    pub speed: f64,
    pub weather: Weather,
}

impl Default for Options {
    /// A free port on loopback, real time, calm weather.
    fn default() -> Self {
        Self { host: "127.0.0.1".to_owned(), port: 0, speed: 1.0, weather: Weather::calm() }
    }
}

/// A server in this process, on a thread of its own. It ends when this is dropped.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Fails where the address can't be listened on, or no thread or runtime is to be had.
    pub fn start(world: World, options: Options) -> io::Result<Self> {
        let listener = listen(&options)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(world, &options));
        let (stop, stopped) = watch::channel(false);
        let served = Arc::clone(&shared);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new()
            .name("ec2sim".to_owned())
            .spawn(move || runtime.block_on(http::serve(listener, served, stopped)))?;
        Ok(Self { shared, address, stop, thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`, for every service.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Looks at the world, or changes it, between two requests. Its clock is set first.
    pub fn with_world<R>(&self, look: impl FnOnce(&mut World) -> R) -> R {
        self.shared.with_world(look)
    }

    /// Clock, faults, counters: all that the control endpoint reaches.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nobody listens: then it has ended already.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            // A panic in it has been printed; here it would hide the failure that this drop may be part of.
            let _ = thread.join();
        }
    }
}

/// A socket, ready before anybody is told of it.
pub fn listen(options: &Options) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((options.host.as_str(), options.port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until `stopped` shows true, or its sender is gone.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, stopped: watch::Receiver<bool>) {
    http::serve(listener, shared, stopped).await;
}
