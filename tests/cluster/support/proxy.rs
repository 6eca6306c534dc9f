//! A TCP proxy that can be cut: between the operator and the API server it makes a replica that still reaches AWS
//! and no longer reaches Kubernetes. TLS passes through, as the certificate is for 127.0.0.1 whatever the port.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Open,
    /// Like a network that loses every packet: connections stay, nothing arrives.
    Silent,
    /// Like a machine that is gone: connections end, new ones are refused.
    Closed,
}

pub struct CutProxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    /// Pieces that came while nothing got through.
    held: watch::Sender<usize>,
    // Its own, so that a test that blocks its runtime does not stop the traffic. None once dropped.
    runtime: Option<Runtime>,
}

impl CutProxy {
    pub fn new(target: SocketAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("it can be asked not to block");
        let address = listener.local_addr().expect("it has an address");
        let (mode, seen) = watch::channel(Mode::Open);
        let held = watch::Sender::new(0);
        let hold = held.clone();
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).expect("it does not block");
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, target, seen.clone(), hold.clone()));
            }
        });
        CutProxy { address, mode, held, runtime: Some(runtime) }
    }

    /// What to connect to instead of the target.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Nothing gets through any more, and nobody is told. What was sent meanwhile arrives after `heal`.
    pub fn cut(&self) {
        self.mode.send_replace(Mode::Silent);
    }

    /// Until something was sent that does not get through: who sent it is waiting by now.
    pub async fn until_held(&self) {
        self.held.subscribe().wait_for(|held| *held > 0).await.expect("the proxy is there");
    }

    /// All connections end, and new ones as soon as they are made.
    pub fn sever(&self) {
        self.mode.send_replace(Mode::Closed);
    }

    pub fn heal(&self) {
        self.mode.send_replace(Mode::Open);
    }
}

impl Drop for CutProxy {
    fn drop(&mut self) {
        // Dropping a runtime inside another would panic.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn carry(
    client: TcpStream,
    target: SocketAddr,
    mut mode: watch::Receiver<Mode>,
    held: watch::Sender<usize>,
) {
    // While silent, even the handshake with the target has to wait.
    if *mode.borrow() == Mode::Silent {
        held.send_modify(|held| *held += 1);
    }
    match mode.wait_for(|mode| *mode != Mode::Silent).await.map(|mode| *mode) {
        Ok(Mode::Open) => {}
        _ => return,
    }
    let Ok(server) = TcpStream::connect(target).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = pump(from_client, to_server, mode.clone(), held.clone()) => {}
        () = pump(from_server, to_client, mode.clone(), held) => {}
    }
}

/// Carries bytes one way until an end closes or the proxy does.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut mode: watch::Receiver<Mode>,
    held: watch::Sender<usize>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            _ = mode.wait_for(|mode| *mode == Mode::Closed) => return,
        };
        if *mode.borrow() == Mode::Silent {
            held.send_modify(|held| *held += 1);
        }
        let open = mode.wait_for(|mode| *mode != Mode::Silent).await.map(|mode| *mode == Mode::Open);
        match (read, open) {
            (Ok(count @ 1..), Ok(true)) if to.write_all(&buffer[..count]).await.is_ok() => {}
            _ => return,
        }
    }
}
