//! `/livez`, `/readyz` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

/// What the endpoints ask. Each answer names what is wrong.
pub trait Health: Send + Sync + 'static {
    /// `Err`: this process can't recover by itself and is to be restarted.
    fn live(&self) -> Result<(), String>;
    /// `Err`: not ready to work yet.
    fn ready(&self) -> Result<(), String>;
    fn metrics(&self) -> String;
}

/// Listens, and serves until the process ends. The address it listens on, for port 0.
pub async fn listen(address: SocketAddr, health: Arc<dyn Health>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let local = listener.local_addr()?;
    let router = Router::new()
        .route("/livez", get(|State(health): State<Arc<dyn Health>>| async move { answer(health.live()) }))
        .route("/readyz", get(|State(health): State<Arc<dyn Health>>| async move { answer(health.ready()) }))
        .route("/metrics", get(|State(health): State<Arc<dyn Health>>| async move { health.metrics() }))
        .with_state(health);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the health server stopped");
        }
    });
    Ok(local)
}

fn answer(result: Result<(), String>) -> (StatusCode, String) {
    match result {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}
